package codepipeline

import (
	"fmt"

	"github.com/gobwas/glob"
)

// trigger starts the pipeline on Git events; see "Filter triggers on code push or pull requests" in the AWS
// CodePipeline user guide.
type trigger struct {
	GitConfiguration struct {
		SourceActionName string       `json:"sourceActionName"`
		Pushes           []pushFilter `json:"pushes"`
	} `json:"gitConfiguration"`
}

// pushFilter matches a push if all of its lists do.
type pushFilter struct {
	Branches  patterns `json:"branches"`
	FilePaths patterns `json:"filePaths"`
}

type patterns struct {
	Includes []string `json:"includes"`
	Excludes []string `json:"excludes"`
}

// matches reports whether a push of these files to the branch starts the pipeline: a push filter must match.
func (t trigger) matches(branch string, files []string) (bool, error) {
	for _, f := range t.GitConfiguration.Pushes {
		onBranch, err := f.Branches.match(branch)
		if err != nil {
			return false, err
		}
		onPath, err := f.FilePaths.match(files...)
		if err != nil {
			return false, err
		}
		if onBranch && onPath {
			return true, nil
		}
	}
	return false, nil
}

// match reports whether one of the names is included and not excluded. Without includes, every name is included;
// without any pattern, there is nothing to filter.
func (p patterns) match(names ...string) (bool, error) {
	if len(p.Includes) == 0 && len(p.Excludes) == 0 {
		return true, nil
	}
	for _, name := range names {
		included, err := matchAny(p.Includes, name)
		if err != nil {
			return false, err
		}
		excluded, err := matchAny(p.Excludes, name)
		if err != nil {
			return false, err
		}
		if (included || len(p.Includes) == 0) && !excluded {
			return true, nil
		}
	}
	return false, nil
}

// matchAny follows "Working with glob patterns in syntax" in the AWS CodePipeline user guide: * and ? stop at a
// slash, ** does not.
func matchAny(globs []string, name string) (bool, error) {
	for _, pattern := range globs {
		g, err := glob.Compile(pattern, '/')
		if err != nil {
			return false, fmt.Errorf("filter pattern %q: %w", pattern, err)
		}
		if g.Match(name) {
			return true, nil
		}
	}
	return false, nil
}
