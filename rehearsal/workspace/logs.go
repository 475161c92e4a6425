package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"cicd/internal/filelock"
)

// logFolders is the folder for the logs of a checkout's rehearsals. It is apart from their other files, because people look
// for logs in the checkout, and only this process uses their paths.
const logFolders = ".rehearsal"

// Logs is the folder with the logs of one rehearsal. After a failed or killed rehearsal it stays until the next one of the
// same checkout and stack. Its .gitignore, which hides it from Git, is locked as long as the rehearsal runs.
type Logs struct {
	// Dir is relative if it is below the working directory, so that it fits a narrow terminal.
	Dir  string
	lock *os.File
}

// NewLogs makes the folder for the logs of a stack's rehearsal, and removes those of earlier ones that have ended.
func NewLogs(ctx context.Context, projectDir, stack string, tell io.Writer) (*Logs, error) {
	turn, err := takeTurn(ctx, tell)
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
		err = errors.Join(err, filelock.Try(l.lock))
	}
	if err != nil {
		return nil, errors.Join(err, l.remove())
	}
	return l, nil
}

const (
	logLock = ".gitignore"
	logID   = 8 // characters that distinguish a stack's rehearsals
)

// fromHere returns a folder's path relative to the working directory if it is that or below it.
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

// sweepLogs removes the logs of a stack's ended rehearsals.
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
		case err == nil && filelock.Try(l.lock) != nil: // still running
			l.lock.Close()
			continue
		}
		if err := l.remove(); err != nil {
			return err
		}
	}
	return nil
}

// Path returns the path of a log.
func (l *Logs) Path(name string) string { return filepath.Join(l.Dir, name) }

// Create creates a log.
func (l *Logs) Create(name string) (*os.File, error) {
	return os.OpenFile(l.Path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Close releases the rehearsal's lock on the logs. They stay if keep is set and there are any.
func (l *Logs) Close(keep bool) (kept bool, err error) {
	entries, err := os.ReadDir(l.Dir)
	if keep && err == nil && len(entries) > 1 { // besides the lock
		return true, l.lock.Close()
	}
	return false, l.remove()
}

// remove removes the logs, and their parent folder unless it has others or another rehearsal is about to use it.
func (l *Logs) remove() error {
	if l.lock != nil {
		defer l.lock.Close()
	}
	if err := os.RemoveAll(l.Dir); err != nil {
		return err
	}
	turn, err := openTurn()
	if err != nil {
		return err
	}
	defer turn.Close()
	if filelock.Try(turn) == nil {
		os.Remove(filepath.Dir(l.Dir))
	}
	return nil
}
