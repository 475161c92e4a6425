package rmtree

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// unprivileged runs do in a thread without root's privileges.
func unprivileged(t *testing.T, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		do()
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Only for this thread; syscall.Setresuid would change all threads.
	if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); err != 0 {
		t.Fatal(err)
	}
	do()
	if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 0, ^uintptr(0)); err != 0 {
		panic(err) // the thread is no longer usable
	}
}

func TestRemove(t *testing.T) {
	place := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(place), 0o755), os.Chmod(place, 0o777)); err != nil { // user nobody needs access
		t.Fatal(err)
	}
	dir := filepath.Join(place, "dir")
	var plain, got error
	unprivileged(t, func() {
		if got = errors.Join(os.MkdirAll(filepath.Join(dir, "closed", "read-only"), 0o755),
			os.WriteFile(filepath.Join(dir, "closed", "read-only", "file"), nil, 0o444),
			os.Chmod(filepath.Join(dir, "closed", "read-only"), 0o555), os.Chmod(filepath.Join(dir, "closed"), 0)); got != nil {
			return
		}
		plain = os.RemoveAll(dir)
		got = Remove(dir)
	})
	if plain == nil {
		t.Error("os.RemoveAll removes the folder too, so this tests nothing")
	}
	if got != nil {
		t.Errorf("Remove: %v", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if err := Remove(dir); err != nil {
		t.Errorf("Remove of nothing: %v", err)
	}
}
