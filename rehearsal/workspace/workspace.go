package workspace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Workspace is what one rehearsal has on this machine. Its record, which has its name, is locked for as long as the
// process lives, however it ends: an unlocked record is that of a rehearsal that was killed.
type Workspace struct {
	footprint
	record *os.File
}

// footprint are the marks by which everything that a rehearsal made can be found again. Whoever removes by them must know
// that they are a rehearsal's: see check.
type footprint struct {
	// Name starts the name of every Docker object, marks every process, and names the folder that holds every file.
	Name string `json:"-"`
	// Registry starts the name of every image that was pushed or pulled, "" before the registry listens.
	Registry string
}

// Folders is where the folders of rehearsals are. The agent of CodeDeploy splits the path of a script into words, and make
// takes no blank in a path, so a checkout's own path, or a home's, would not do: both are of the user's choosing.
// Nor would /tmp, which may be kept in memory.
const Folders = "/var/tmp"

var (
	// rehearsalName matches the names that newName makes.
	rehearsalName = regexp.MustCompile(`^rehearsal-[0-9a-f]{6}-[a-z2-7]{8}$`)
	registryHost  = regexp.MustCompile(`^127\.0\.0\.1:[1-9][0-9]{0,4}$`)
)

// check returns an error unless the marks are unmistakably a rehearsal's. With others, as an empty name, everything on
// this machine could carry them.
func (t footprint) check() error {
	if !rehearsalName.MatchString(t.Name) {
		return fmt.Errorf("%q is not the name of a rehearsal", t.Name)
	}
	if t.Registry != "" && !registryHost.MatchString(t.Registry) {
		return fmt.Errorf("%q is not the registry of a rehearsal", t.Registry)
	}
	return nil
}

// Dir names the folder that holds every file of the rehearsal.
func (t footprint) Dir() string { return filepath.Join(Folders, t.Name) }

// ProcessMark is the environment variable that every process of a rehearsal carries, with the rehearsal's name.
const ProcessMark = "CICD_REHEARSAL"

// New removes what killed rehearsals of this user have left behind, whichever checkout they ran in, and
// makes the folder of a new rehearsal of a project, and its record. It tells of the leftovers that it has removed.
func New(ctx context.Context, projectDir string, tell io.Writer) (*Workspace, error) {
	// One at a time, so that no record is swept between its creation and its lock.
	turn, err := takeTurn(syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	records := filepath.Dir(turn.Name())
	if err := sweep(ctx, records, tell); err != nil {
		return nil, fmt.Errorf("removing what a killed rehearsal left behind: %w", err)
	}
	return create(records, projectDir)
}

func create(records, projectDir string) (*Workspace, error) {
	name := NamePrefix(projectDir) + strings.ToLower(rand.Text()[:8])
	record, err := os.OpenFile(filepath.Join(records, name+recordSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("record of the rehearsal: %w", err)
	}
	w := &Workspace{footprint{Name: name}, record}
	// Mkdir, for in a folder that everybody may write to it must not be somebody else's, nor a link to one.
	if err := errors.Join(lock(record), w.Save(), os.Mkdir(w.Dir(), 0o700)); err != nil {
		w.forget()
		return nil, fmt.Errorf("folder of the rehearsal: %w", err)
	}
	return w, nil
}

const recordSuffix = ".json"

// NamePrefix is what the names of all rehearsals of a checkout begin with, so that people can tell whose they are.
func NamePrefix(projectDir string) string {
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

// takeTurn makes this the only rehearsal of this user that is about to begin, until the turn is closed. how is that of flock.
func takeTurn(how int) (turn *os.File, err error) {
	records, err := recordsDir()
	if err != nil {
		return nil, err
	}
	turn, err = os.OpenFile(filepath.Join(records, "turn"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(turn.Fd()), how); err != nil {
		turn.Close()
		return nil, fmt.Errorf("%s: %w", turn.Name(), err)
	}
	return turn, nil
}

// lock takes a file for this process, or fails at once if another one has it.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// Save writes the record anew.
func (w *Workspace) Save() error {
	raw, err := json.Marshal(w.footprint)
	if err != nil {
		return err
	}
	_, err = w.record.WriteAt(raw, 0)
	return err
}

// Path names a file or folder of the rehearsal.
func (w *Workspace) Path(parts ...string) string {
	return filepath.Join(append([]string{w.Dir()}, parts...)...)
}

// MakeDir makes a folder of the rehearsal and names it.
func (w *Workspace) MakeDir(parts ...string) (string, error) {
	dir := w.Path(parts...)
	return dir, os.MkdirAll(dir, 0o755)
}

// Remove takes away everything that the rehearsal made. The record goes last, and stays if anything else does, so
// that the next rehearsal tries again.
func (w *Workspace) Remove(ctx context.Context) error {
	err := w.footprint.remove(ctx)
	if err == nil {
		w.forget()
	}
	return err
}

func (w *Workspace) forget() {
	os.Remove(w.record.Name())
	w.record.Close()
}

// sweep removes what killed rehearsals have left behind, and tells of each.
func sweep(ctx context.Context, dir string, tell io.Writer) error {
	records, err := filepath.Glob(filepath.Join(dir, "*"+recordSuffix))
	if err != nil {
		return err
	}
	for _, path := range records {
		err = errors.Join(err, sweepOne(ctx, path, tell))
	}
	return err
}

// sweepOne removes the leftovers of one rehearsal, unless that still runs. A record that no rehearsal has written stays, and
// nothing is removed by it.
func sweepOne(ctx context.Context, path string, tell io.Writer) error {
	record, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has just ended
	}
	if err != nil {
		return err
	}
	defer record.Close()
	if lock(record) != nil {
		return nil
	}
	w := &Workspace{footprint{Name: strings.TrimSuffix(filepath.Base(path), recordSuffix)}, record}
	raw, err := io.ReadAll(record)
	if err != nil {
		return err
	}
	if len(raw) > 0 { // else it was killed before it wrote its record, so before it had a registry
		err = json.Unmarshal(raw, &w.footprint)
	}
	if err = errors.Join(err, w.check()); err != nil {
		fmt.Fprintf(tell, "Ignoring %s, which no rehearsal has written (%v): remove it.\n", path, err)
		return nil
	}
	if err := w.Remove(ctx); err != nil {
		return err
	}
	fmt.Fprintf(tell, "Removed what %s, which was killed, had left behind.\n", w.Name)
	return nil
}
