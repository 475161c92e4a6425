package automation

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// lock takes the exclusive lock of the file at path, which it makes, and returns the function that gives it back. The
// system gives it back too when the process dies. When another process has the lock, it calls waiting and waits.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	fd := int(file.Fd())
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		waiting()
		err = waitForLock(ctx, fd)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

// waitForLock blocks until the lock is ours. On an interruption it waits on in the background, for a system call cannot be
// called off; the process is about to end.
func waitForLock(ctx context.Context, fd int) error {
	locked := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(fd, syscall.LOCK_EX)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			locked <- err
			return
		}
	}()
	select {
	case err := <-locked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
