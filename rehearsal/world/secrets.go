package world

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"cicd/infra"
	"cicd/rehearsal/github"
)

// secretsFile has the values of the stack's secrets for rehearsals, in the checkout, which git must ignore.
const secretsFile = ".env.rehearsal"

// secret is a variable of the application or of its build, with where its value is from: the ARN of a parameter or secret, or
// "" for a parameter of the stack's own.
type secret struct{ name, source string }

// secretsOf lists the secrets of an application and of its build, sorted. One that both have from the same place is there
// once.
func secretsOf(a infra.Application) []secret {
	var all []secret
	for _, sources := range []map[string]string{a.Secrets, a.BuildSecrets} {
		for name, source := range sources {
			all = append(all, secret{name, source})
		}
	}
	slices.SortFunc(all, func(a, b secret) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.source, b.source))
	})
	return slices.Compact(all)
}

// secretValues finds a value for every secret of a stack: in the environment of the rehearsal or else in secretsFile. The
// error lists all that have none.
func secretValues(projectDir, stack string, all []secret) (map[string]string, error) {
	values := map[string]string{}
	file := filepath.Join(projectDir, secretsFile)
	given, err := godotenv.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: want lines such as NAME='value'", file, err)
	}
	var missing []string
	for _, secret := range all {
		value, ok := os.LookupEnv(secret.name)
		if !ok {
			value = given[secret.name]
		}
		if values[secret.name] = value; value == "" {
			missing = append(missing, secret.name)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("the rehearsal has no value for the secrets of stack %s: %s: write a line NAME='value' for each into %s, "+
			"which git ignores, or export them", stack, strings.Join(slices.Compact(missing), ", "), secretsFile)
	}
	return values, nil
}

// exposed warns of a secretsFile that is in the repository.
func exposed(ctx context.Context, projectDir string) string {
	if tracked, err := github.UserGit(ctx, projectDir, "ls-files", "--", secretsFile); err != nil || tracked == "" {
		return ""
	}
	return fmt.Sprintf("warning: %s is in the repository, where everybody can read it: git rm --cached %s, and add it to .gitignore",
		secretsFile, secretsFile)
}

// storeSecrets puts the values where the stack's roles will read them: its own parameters below a path.
func (c *cloud) storeSecrets(all []secret, values map[string]string, path string) error {
	var errs []error
	fields := map[string]map[string]string{} // of secrets that are JSON, by ARN
	for _, secret := range all {
		name, value := secret.name, values[secret.name]
		arn, field, _ := strings.Cut(secret.source, "#")
		var err error
		switch {
		case arn == "":
			err = c.parameters.Set(path+"/"+name, value)
		case strings.Contains(arn, ":ssm:"):
			err = c.parameters.SetForeign(arn, value)
		case field == "":
			err = c.secrets.Set(arn, value)
		default:
			if fields[arn] == nil {
				fields[arn] = map[string]string{}
			}
			fields[arn][field] = value
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the value of secret %s: %w", name, err))
		}
	}
	for arn, object := range fields {
		text, err := json.Marshal(object)
		errs = append(errs, err, c.secrets.Set(arn, string(text)))
	}
	return errors.Join(errs...)
}
