package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// cacheDays is how long the layer cache keeps what no build has renewed.
const cacheDays = 30

// newCache registers the repository of the layer cache, with what BuildKit keeps of an image's steps and with BuildKit's own
// image. Builds overwrite its tags, and nothing in it is ever run on a host or worth keeping.
func (r *Registry) newCache(ctx *pulumi.Context, name string, args *RegistryArgs) error {
	cache, err := ecr.NewRepository(ctx, name+"-cache", &ecr.RepositoryArgs{
		Name:               pulumi.String(args.Scope.cacheName()),
		ImageTagMutability: pulumi.String("MUTABLE"),
		ForceDelete:        pulumi.Bool(true),
	}, pulumi.Parent(r))
	if err != nil {
		return fmt.Errorf("layer cache: %w", err)
	}
	expiry, err := lifecyclePolicy(imageRule{2, fmt.Sprintf("What no build has renewed for %d days", cacheDays),
		imageSelection{"any", "sinceImagePushed", "days", cacheDays}, expire})
	if err != nil {
		return err
	}
	_, err = ecr.NewLifecyclePolicy(ctx, name+"-cache-layers", &ecr.LifecyclePolicyArgs{
		Repository: cache.Name,
		Policy:     pulumi.String(expiry),
	}, pulumi.Parent(r))
	if err != nil {
		return fmt.Errorf("layer cache: lifecycle policy: %w", err)
	}
	r.CacheURL, r.CacheArn = cache.RepositoryUrl, cache.Arn
	return nil
}
