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

	"cicd/internal/filelock"
)

// Workspace is everything that one rehearsal has on this machine. The rehearsal's process locks the record, which has the
// rehearsal's name, until it ends in whatever way: an unlocked record belongs to a killed rehearsal.
type Workspace struct {
	footprint
	record *os.File
}

// footprint is the marks that identify everything a rehearsal made. Whoever removes by them must first make sure that they
// are a rehearsal's: see check.
type footprint struct {
	// Name is the prefix of every Docker object's name, marks every process, and names the folder with every file.
	Name string `json:"-"`
	// Registry is the prefix of the name of every image that was pushed or pulled, or "" before the registry listens.
	Registry string
}

// Folders is the folder with the folders of rehearsals. The CodeDeploy agent splits the path of a script into words, and
// make accepts no blank in a path, so neither the checkout nor the home would do: the user chooses both. Nor would /tmp,
// which may be in memory.
const Folders = "/var/tmp"

var (
	// rehearsalName matches the names that create makes.
	rehearsalName = regexp.MustCompile(`^rehearsal-[0-9a-f]{6}-[a-z2-7]{8}$`)
	registryHost  = regexp.MustCompile(`^127\.0\.0\.1:[1-9][0-9]{0,4}$`)
)

// check returns an error unless the marks are unmistakably a rehearsal's. Others, such as an empty name, could match
// everything on this machine.
func (t footprint) check() error {
	if !rehearsalName.MatchString(t.Name) {
		return fmt.Errorf("%q is not the name of a rehearsal", t.Name)
	}
	if t.Registry != "" && !registryHost.MatchString(t.Registry) {
		return fmt.Errorf("%q is not the registry of a rehearsal", t.Registry)
	}
	return nil
}

// Dir is the folder that holds every file of the rehearsal.
func (t footprint) Dir() string { return filepath.Join(Folders, t.Name) }

// ProcessMark is the environment variable that marks every process of a rehearsal with the rehearsal's name.
const ProcessMark = "CICD_REHEARSAL"

// New removes what this user's killed rehearsals of any checkout left behind, and reports it. Then it makes the folder and
// the record of a new rehearsal of a project.
func New(ctx context.Context, projectDir string, tell io.Writer) (*Workspace, error) {
	// One at a time, so that no record is swept between its creation and its lock.
	turn, err := takeTurn(ctx, tell)
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
	// Mkdir fails if the folder exists: where everybody may write, it could be somebody else's, or a link to one.
	if err := errors.Join(filelock.Try(record), w.Save(), os.Mkdir(w.Dir(), 0o700)); err != nil {
		w.forget()
		return nil, fmt.Errorf("folder of the rehearsal: %w", err)
	}
	return w, nil
}

const recordSuffix = ".json"

// NamePrefix is the prefix of the names of a checkout's rehearsals, so that people can tell whose they are.
func NamePrefix(projectDir string) string {
	sum := sha256.Sum256([]byte(projectDir))
	return fmt.Sprintf("rehearsal-%x-", sum[:3])
}

// recordsDir is the folder with the records of all rehearsals of this user.
func recordsDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "cicd", "rehearsals")
	return dir, os.MkdirAll(dir, 0o755)
}

// takeTurn makes this the only rehearsal of this user that is starting, until turn is closed. If another one is, it says
// so and waits.
func takeTurn(ctx context.Context, tell io.Writer) (turn *os.File, err error) {
	turn, err = openTurn()
	if err != nil {
		return nil, err
	}
	return turn, filelock.Wait(ctx, turn, func() {
		fmt.Fprintln(tell, "Waiting for another rehearsal, which starts or removes what was left behind ...")
	})
}

func openTurn() (*os.File, error) {
	records, err := recordsDir()
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(records, "turn"), os.O_RDWR|os.O_CREATE, 0o644)
}

// Save rewrites the record.
func (w *Workspace) Save() error {
	raw, err := json.Marshal(w.footprint)
	if err != nil {
		return err
	}
	_, err = w.record.WriteAt(raw, 0)
	return err
}

// Path returns the path of a file or folder of the rehearsal.
func (w *Workspace) Path(parts ...string) string {
	return filepath.Join(append([]string{w.Dir()}, parts...)...)
}

// MakeDir makes a folder of the rehearsal and returns its path.
func (w *Workspace) MakeDir(parts ...string) (string, error) {
	dir := w.Path(parts...)
	return dir, os.MkdirAll(dir, 0o755)
}

// Remove removes everything that the rehearsal made. It removes the record last, and only if everything else is gone, so
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

// sweep removes what killed rehearsals left behind, and reports each.
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

// sweepOne removes what one rehearsal left, unless that is still running. It ignores a record that no rehearsal wrote: it
// keeps the record, and removes nothing by it.
func sweepOne(ctx context.Context, path string, tell io.Writer) error {
	record, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has just ended
	}
	if err != nil {
		return err
	}
	defer record.Close()
	if filelock.Try(record) != nil {
		return nil
	}
	w := &Workspace{footprint{Name: strings.TrimSuffix(filepath.Base(path), recordSuffix)}, record}
	raw, err := io.ReadAll(record)
	if err != nil {
		return err
	}
	if len(raw) > 0 { // an empty record: killed before it had a registry
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
