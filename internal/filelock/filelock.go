// Package filelock lets one process at a time do something, by locking a file. The lock ends when the file is closed,
// also by the kernel, when the process dies.
package filelock

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// Try locks a file. If another process has locked it, Try fails at once.
func Try(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// Wait locks a file. If another process has locked it, Wait calls waiting, and waits until ctx ends. It closes the file
// if it fails.
func Wait(ctx context.Context, file *os.File, waiting func()) error {
	err := Try(file)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		waiting()
		return wait(ctx, file)
	}
	if err != nil {
		file.Close()
	}
	return err
}

// wait goes on in the background after ctx has ended, because a system call cannot be cancelled, and then closes the
// file: a descriptor in use, once closed, could become another file's.
func wait(ctx context.Context, file *os.File) error {
	locked := make(chan error)
	go func() {
		err := block(file)
		select {
		case locked <- err:
		case <-ctx.Done():
			file.Close()
		}
	}()
	select {
	case err := <-locked:
		if err != nil {
			file.Close()
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// block locks a file, for however long that takes.
func block(file *os.File) error {
	for {
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
