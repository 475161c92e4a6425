package infra

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RegistryArgs configures a Registry.
type RegistryArgs struct {
	Scope Scope
	// KeepImages is how many of the newest images are kept, at least 2. Plain, because it shapes a policy.
	KeepImages int
	// Protect prevents deletion of the repository and its images. AWS alone would refuse only after the rest of the
	// stack is gone, so Pulumi is told too and refuses at the start.
	Protect bool
}

func (a *RegistryArgs) validate() error {
	if a.KeepImages < minKeepImages {
		return fmt.Errorf("KeepImages is %d: want at least %d, to leave one to roll back to", a.KeepImages, minKeepImages)
	}
	return nil
}

// Registry is a private image repository with immutable tags, and one beside it for the layer cache.
type Registry struct {
	pulumi.ResourceState

	// RepositoryURL is where builds push and hosts pull, without a tag.
	RepositoryURL pulumi.StringOutput `pulumi:"repositoryUrl"`
	// RepositoryArn is the ARN that roles are granted access to.
	RepositoryArn pulumi.StringOutput `pulumi:"repositoryArn"`
	// CacheURL and CacheArn are the layer cache's, a repository of its own.
	CacheURL pulumi.StringOutput `pulumi:"cacheUrl"`
	CacheArn pulumi.StringOutput `pulumi:"cacheArn"`
}

// NewRegistry registers a Registry and its children, whose names start with name.
func NewRegistry(ctx *pulumi.Context, name string, args *RegistryArgs, opts ...pulumi.ResourceOption) (*Registry, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("registry %q: %w", name, err)
	}
	r := &Registry{}
	inputs := pulumi.Map{"keepImages": pulumi.Int(args.KeepImages), "protect": pulumi.Bool(args.Protect)}
	if err := ctx.RegisterComponentResourceV2(typeRegistry, name, inputs, r, opts...); err != nil {
		return nil, fmt.Errorf("registry %q: %w", name, err)
	}
	repository, err := ecr.NewRepository(ctx, name+"-repository", &ecr.RepositoryArgs{
		Name:               pulumi.String(args.Scope.repositoryName()),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		ForceDelete: pulumi.Bool(!args.Protect), // must be in the state from the first `up`, or destroy would not see it (F43)
	}, pulumi.Parent(r), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("registry %q: repository: %w", name, err)
	}
	expiry, err := expireImages(args.KeepImages)
	if err != nil {
		return nil, fmt.Errorf("registry %q: %w", name, err)
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name+"-images", &ecr.LifecyclePolicyArgs{
		Repository: repository.Name,
		Policy:     pulumi.String(expiry),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("registry %q: lifecycle policy: %w", name, err)
	}
	r.RepositoryURL, r.RepositoryArn = repository.RepositoryUrl, repository.Arn
	if err := r.newCache(ctx, name, args); err != nil {
		return nil, fmt.Errorf("registry %q: %w", name, err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{
		"repositoryUrl": r.RepositoryURL,
		"repositoryArn": r.RepositoryArn,
		"cacheUrl":      r.CacheURL,
		"cacheArn":      r.CacheArn,
	})
}

// The shape of a lifecycle policy (ECR User Guide, "Lifecycle policy parameters").
type (
	imageRules struct {
		Rules []imageRule `json:"rules"`
	}
	imageRule struct {
		RulePriority int               `json:"rulePriority"`
		Description  string            `json:"description"`
		Selection    imageSelection    `json:"selection"`
		Action       map[string]string `json:"action"`
	}
	imageSelection struct {
		TagStatus   string `json:"tagStatus"`
		CountType   string `json:"countType"`
		CountUnit   string `json:"countUnit,omitempty"`
		CountNumber int    `json:"countNumber"`
	}
)

var expire = map[string]string{"type": "expire"}

// expireImages returns a lifecycle policy that keeps the newest images.
func expireImages(keep int) (string, error) {
	return lifecyclePolicy(imageRule{2, fmt.Sprintf("All but the newest %d", keep), imageSelection{"any", "imageCountMoreThan", "", keep}, expire})
}

// lifecyclePolicy returns a policy that removes what lost its tag or was left by an interrupted push, and has one rule more.
func lifecyclePolicy(rule imageRule) (string, error) {
	text, err := json.Marshal(imageRules{[]imageRule{{1, "Untagged images", imageSelection{"untagged", "sinceImagePushed", "days", 1}, expire}, rule}})
	if err != nil {
		return "", fmt.Errorf("lifecycle policy: %w", err)
	}
	return string(text), nil
}
