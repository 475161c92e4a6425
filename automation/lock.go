package automation

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// lock creates the file at path, takes its exclusive lock, and returns the function that releases it. The kernel also
// releases it when the process dies. If another process holds the lock, it calls waiting and waits.
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

// waitForLock blocks until the lock is ours. On an interruption it keeps waiting in the background, because a system
// call cannot be cancelled; the process is about to end.
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
