package github

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
)

// Archive writes a zip of the commit's files, as the CODE_ZIP format of a source action does. No file in it is
// executable, and a symbolic link becomes a file that holds its target, because CodePipeline "uses a ZIP file process
// that does not preserve external attributes" (AWS CodePipeline User Guide, "File permissions are not retained on source
// files from GitHub"; on links also aws/aws-cdk#14520 and #2202, aws/jsii#2176 and
// aws-ia/terraform-aws-control_tower_account_factory#547). A submodule is an empty folder: the archive has no other
// repository's files (aws/copilot-cli#2799).
func (r *Repository) Archive(ctx context.Context, commit, path string) error {
	complete := path + ".complete"
	defer os.Remove(complete)
	if _, err := Git(ctx, r.Dir, "archive", "--format=zip", "--output="+complete, commit); err != nil {
		return err
	}
	return withoutAttributes(complete, path)
}

// withoutAttributes copies a zip archive without its files' modes.
func withoutAttributes(from, to string) (err error) {
	in, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	for _, f := range in.File {
		header := f.FileHeader
		header.CreatorVersion, header.ExternalAttrs = 0, 0
		content, err := f.OpenRaw()
		if err != nil {
			return err
		}
		entry, err := w.CreateRaw(&header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(entry, content); err != nil {
			return err
		}
	}
	return w.Close()
}
