package workspace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// logFolders is where a checkout has the logs of its rehearsals. They are not with the other files, because people look for
// them in the checkout, and nothing but this process uses their paths.
const logFolders = ".rehearsal"

// Logs is the folder with the logs of one rehearsal. It outlives the rehearsal where that has failed or was killed, until
// the next one of the same checkout and stack. Its .gitignore, by which Git sees nothing of it, is locked for as long as the
// rehearsal lives.
type Logs struct {
	// Dir is relative where the working directory allows it, so that it can be shown on a narrow terminal.
	Dir  string
	lock *os.File
}

// NewLogs makes the folder for the logs of a rehearsal of a stack, and removes those of earlier ones that have ended.
func NewLogs(projectDir, stack string) (*Logs, error) {
	turn, err := takeTurn(syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	folders := filepath.Join(fromHere(projectDir), logFolders)
	if err := os.MkdirAll(folders, 0o700); err != nil {
		return nil, err
	}
	if err := sweepLogs(folders, stack); err != nil {
		return nil, fmt.Errorf("removing those of the rehearsal before: %w", err)
	}
	l := &Logs{Dir: filepath.Join(folders, stack+"-"+strings.ToLower(rand.Text()[:logID]))}
	if err := os.Mkdir(l.Dir, 0o700); err != nil {
		return nil, err
	}
	if l.lock, err = os.OpenFile(l.Path(logLock), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		_, err = l.lock.WriteString("*\n")
		err = errors.Join(err, lock(l.lock))
	}
	if err != nil {
		return nil, errors.Join(err, l.remove())
	}
	return l, nil
}

const (
	logLock = ".gitignore"
	logID   = 8 // characters that tell the rehearsals of a stack apart
)

// fromHere returns the path of a folder from the working directory on, if it is that or below.
func fromHere(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	if relative, err := filepath.Rel(here, dir); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return dir
}

// sweepLogs removes the logs of a stack's rehearsals that have ended.
func sweepLogs(folders, stack string) error {
	entries, err := os.ReadDir(folders)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		id, ours := strings.CutPrefix(entry.Name(), stack+"-")
		if !ours || len(id) != logID || !entry.IsDir() {
			continue
		}
		l := &Logs{Dir: filepath.Join(folders, entry.Name())}
		l.lock, err = os.OpenFile(l.Path(logLock), os.O_RDWR, 0)
		switch {
		case errors.Is(err, os.ErrPermission): // another user's
			continue
		case err == nil && lock(l.lock) != nil: // it still runs
			l.lock.Close()
			continue
		}
		if err := l.remove(); err != nil {
			return err
		}
	}
	return nil
}

// Path names a log.
func (l *Logs) Path(name string) string { return filepath.Join(l.Dir, name) }

// Create makes a log.
func (l *Logs) Create(name string) (*os.File, error) {
	return os.OpenFile(l.Path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Close ends the rehearsal's hold on the logs. They stay if they are to be kept and there are any.
func (l *Logs) Close(keep bool) (kept bool, err error) {
	entries, err := os.ReadDir(l.Dir)
	if keep && err == nil && len(entries) > 1 { // beside the lock
		return true, l.lock.Close()
	}
	return false, l.remove()
}

// remove removes the logs, and the folder that all are in unless it has others or another rehearsal is about to use it.
func (l *Logs) remove() error {
	if l.lock != nil {
		defer l.lock.Close()
	}
	if err := os.RemoveAll(l.Dir); err != nil {
		return err
	}
	if turn, err := takeTurn(syscall.LOCK_EX | syscall.LOCK_NB); err == nil {
		os.Remove(filepath.Dir(l.Dir))
		turn.Close()
	}
	return nil
}
