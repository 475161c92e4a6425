package rehearsal

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// edit is a change of a working copy in dir.
type edit func(dir string) error

// write makes a file, or replaces it.
func write(file, content string) edit {
	return func(dir string) error {
		path := filepath.Join(dir, filepath.FromSlash(file))
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755))
	}
}

// replace replaces every occurrence of a text, of which there must be one.
func replace(file, old, new string) edit {
	return func(dir string) error {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		if !bytes.Contains(content, []byte(old)) {
			return fmt.Errorf("%s has no %q to replace", file, old)
		}
		return write(file, string(bytes.ReplaceAll(content, []byte(old), []byte(new))))(dir)
	}
}

// remove removes a file.
func remove(file string) edit {
	return func(dir string) error { return os.Remove(filepath.Join(dir, filepath.FromSlash(file))) }
}

// mode sets a file's permissions.
func mode(file string, m os.FileMode) edit {
	return func(dir string) error { return os.Chmod(filepath.Join(dir, filepath.FromSlash(file)), m) }
}

// drillapp is an application that misbehaves on request; its own comment says how.
//
//go:embed drillapp/main.go
var drillapp embed.FS

// misbehaving replaces the application by one that behaves as the arguments say, whatever language it is in.
func misbehaving(arguments string) edit {
	return func(dir string) error {
		source, err := drillapp.ReadFile("drillapp/main.go")
		if err != nil {
			return err
		}
		const makefile = "image:\n" +
			"\tcd drill && CGO_ENABLED=0 GOOS=linux go build -o drill .\n" +
			"\tdocker build --platform linux/$(GOARCH) --tag '$(IMAGE)' drill\n"
		for _, e := range []edit{
			write("webapp/Makefile", makefile),
			write("webapp/drill/go.mod", "module drill\n\ngo 1.22\n"),
			write("webapp/drill/main.go", string(source)),
			write("webapp/drill/Dockerfile", "FROM scratch\nCOPY drill /drill\nENTRYPOINT [\"/drill\", \""+arguments+"\"]\n"),
		} {
			if err := e(dir); err != nil {
				return err
			}
		}
		return nil
	}
}
