package rehearsal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// workspace is what one rehearsal has on this machine. Its record, outside the checkout, is locked for as long as
// the process lives, however it ends: an unlocked record is that of a rehearsal that was killed.
type workspace struct {
	traces
	record *os.File
}

// traces are the marks by which everything that a rehearsal made can be found again.
type traces struct {
	// Name starts the name of every Docker object and marks every process.
	Name string
	// Dir holds every file.
	Dir string
	// Registry starts the name of every image that was pushed or pulled, "" before the registry listens.
	Registry string
}

// processMark is the environment variable that every process of a rehearsal carries, with the rehearsal's name.
const processMark = "CICD_REHEARSAL"

// newWorkspace removes what killed rehearsals of this user have left behind, whichever checkout they ran in, and
// makes the folder of a new rehearsal of a project, and its record. It says which leftovers it removed.
func newWorkspace(ctx context.Context, projectDir string) (w *workspace, swept []string, err error) {
	records, err := recordsDir()
	if err != nil {
		return nil, nil, err
	}
	// One at a time, so that no record is swept between its creation and its lock.
	turn, err := os.OpenFile(filepath.Join(records, "turn"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	defer turn.Close()
	if err := syscall.Flock(int(turn.Fd()), syscall.LOCK_EX); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", turn.Name(), err)
	}
	if swept, err = sweep(ctx, records); err != nil {
		return nil, swept, fmt.Errorf("removing what a killed rehearsal left behind: %w", err)
	}
	w, err = create(records, projectDir)
	return w, swept, err
}

func create(records, projectDir string) (*workspace, error) {
	name := namePrefix(projectDir) + strings.ToLower(rand.Text()[:8])
	record, err := os.OpenFile(filepath.Join(records, name+".json"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("record of the rehearsal: %w", err)
	}
	w := &workspace{traces{Name: name, Dir: filepath.Join(projectDir, ".rehearsal", name)}, record}
	if err := errors.Join(lock(record), w.save(), os.MkdirAll(w.Dir, 0o755)); err != nil {
		w.forget()
		return nil, fmt.Errorf("folder of the rehearsal: %w", err)
	}
	return w, nil
}

// namePrefix is what the names of all rehearsals of a checkout begin with, so that people can tell whose they are.
func namePrefix(projectDir string) string {
	sum := sha256.Sum256([]byte(projectDir))
	return fmt.Sprintf("rehearsal-%x-", sum[:3])
}

// recordsDir is the folder in which all rehearsals of this user are recorded.
func recordsDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "cicd", "rehearsals")
	return dir, os.MkdirAll(dir, 0o755)
}

// lock takes the record for this process, or fails at once if another one has it.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// save writes the record anew.
func (w *workspace) save() error {
	raw, err := json.Marshal(w.traces)
	if err != nil {
		return err
	}
	_, err = w.record.WriteAt(raw, 0)
	return err
}

// path names a file or folder of the rehearsal.
func (w *workspace) path(parts ...string) string {
	return filepath.Join(append([]string{w.Dir}, parts...)...)
}

// makeDir makes a folder of the rehearsal and names it.
func (w *workspace) makeDir(parts ...string) (string, error) {
	dir := w.path(parts...)
	return dir, os.MkdirAll(dir, 0o755)
}

// remove takes away everything that the rehearsal made. The record goes last, and stays if anything else does, so
// that the next rehearsal tries again.
func (w *workspace) remove(ctx context.Context) error {
	err := w.traces.remove(ctx)
	if err == nil {
		w.forget()
	}
	return err
}

func (w *workspace) forget() {
	os.Remove(w.record.Name())
	w.record.Close()
}

// sweep removes what killed rehearsals have left behind, and says which.
func sweep(ctx context.Context, dir string) (swept []string, err error) {
	records, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range records {
		name, sweepErr := sweepOne(ctx, path)
		err = errors.Join(err, sweepErr)
		if name != "" {
			swept = append(swept, name)
		}
	}
	return swept, err
}

// sweepOne returns the name of the rehearsal whose leftovers it removed, "" if that rehearsal still runs.
func sweepOne(ctx context.Context, path string) (string, error) {
	record, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil // it has just ended
	}
	if err != nil {
		return "", err
	}
	defer record.Close()
	if lock(record) != nil {
		return "", nil
	}
	w := &workspace{record: record}
	if err := json.NewDecoder(record).Decode(&w.traces); err != nil {
		// It was killed before it wrote its record, so before it made anything else.
		return "", os.Remove(path)
	}
	return w.Name, w.remove(ctx)
}
