package operations

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// Earlier returns the run to go back to, nil if there is none among the runs, which begin with the newest: the newest that was
// deployed before the commit that serves was deployed first. With a prefix, it is the newest that was deployed of another commit
// that begins so.
func Earlier(runs []Run, prefix string) *Run {
	serving := Serving(runs)
	if serving == nil {
		return nil
	}
	first := 0
	for i := range runs {
		if runs[i].Deployed() && runs[i].Commit == serving.Commit {
			first = i
		}
	}
	for i := range runs {
		if runs[i].Deployed() && runs[i].Commit != serving.Commit && strings.HasPrefix(runs[i].Commit, prefix) && (prefix != "" || i > first) {
			return &runs[i]
		}
	}
	return nil
}

// HasImage reports whether ECR still has an image of a commit. If not, its release builds one.
func (p *Pipeline) HasImage(ctx context.Context, commit string) (bool, error) {
	digests, err := p.Images(ctx, commit)
	return len(digests) > 0, err
}

// Images returns the digests of a commit's images in ECR: there may be one for each architecture and set of build settings.
func (p *Pipeline) Images(ctx context.Context, commit string) (digests []string, err error) {
	pages := ecr.NewDescribeImagesPaginator(ecr.NewFromConfig(p.settings), &ecr.DescribeImagesInput{RepositoryName: aws.String(p.stack.repository())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.stack.explain(ctx, "repository "+p.stack.repository(), err, imageRemedies)
		}
		for _, image := range page.ImageDetails {
			if slices.ContainsFunc(image.ImageTags, func(tag string) bool { return strings.HasPrefix(tag, commit) }) {
				digests = append(digests, aws.ToString(image.ImageDigest))
			}
		}
	}
	return digests, nil
}

// repository is the name of the stack's repository in ECR.
func (s Stack) repository() string { return s.Project + "-" + s.Name }
