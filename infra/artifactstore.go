package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// artifactDays is how long a bundle is kept. A rollback downloads the last good bundle again, however old, so a
	// failed release can be rolled back only if the one before it is younger than this.
	artifactDays = 365
	// supersededDays is how long an overwritten or deleted artifact is kept.
	supersededDays = 30
	// abandonedUploadDays is how long the parts of an interrupted upload are kept.
	abandonedUploadDays = 7
)

// ArtifactStoreArgs configures an ArtifactStore.
type ArtifactStoreArgs struct {
	Scope Scope
	// Protect prevents deletion of the bucket and its artifacts, see RegistryArgs.
	Protect bool
}

// ArtifactStore is the private bucket through which pipeline stages pass sources and bundles. It is a separate
// component because builds and hosts need it before the pipeline exists.
type ArtifactStore struct {
	pulumi.ResourceState

	// BucketName is the store's location for the pipeline.
	BucketName pulumi.StringOutput `pulumi:"bucketName"`
	// BucketArn is the ARN that roles are granted access to.
	BucketArn pulumi.StringOutput `pulumi:"bucketArn"`

	// ready must exist before anything is stored, see Target.
	ready pulumi.Resource
}

// NewArtifactStore registers an ArtifactStore and its children, whose names start with name.
func NewArtifactStore(ctx *pulumi.Context, name string, args *ArtifactStoreArgs, opts ...pulumi.ResourceOption) (*ArtifactStore, error) {
	s := &ArtifactStore{}
	inputs := pulumi.Map{"protect": pulumi.Bool(args.Protect)}
	if err := ctx.RegisterComponentResourceV2(typeArtifactStore, name, inputs, s, opts...); err != nil {
		return nil, fmt.Errorf("artifact store %q: %w", name, err)
	}
	bucket, err := s3.NewBucketV2(ctx, name+"-artifacts", &s3.BucketV2Args{
		Bucket:       pulumi.String(args.Scope.bucketName()),
		ForceDestroy: pulumi.Bool(!args.Protect), // must be in the state from the first `up`, or destroy would not see it (F44)
	}, pulumi.Parent(s), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("artifact store %q: bucket: %w", name, err)
	}
	if err := s.configure(ctx, name, args.Scope, bucket); err != nil {
		return nil, fmt.Errorf("artifact store %q: %w", name, err)
	}
	s.BucketName, s.BucketArn = bucket.Bucket, bucket.Arn
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{
		"bucketName": s.BucketName,
		"bucketArn":  s.BucketArn,
	})
}

// configure sets the bucket's properties one at a time: S3 answers concurrent calls on a bucket with
// OperationAborted.
func (s *ArtifactStore) configure(ctx *pulumi.Context, name string, scope Scope, bucket *s3.BucketV2) error {
	ownership, err := s3.NewBucketOwnershipControls(ctx, name+"-artifacts-ownership", &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.Bucket,
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, pulumi.Parent(s))
	if err != nil {
		return fmt.Errorf("ownership: %w", err)
	}
	access, err := s3.NewBucketPublicAccessBlock(ctx, name+"-artifacts-access", &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, pulumi.Parent(s), after(ownership))
	if err != nil {
		return fmt.Errorf("public access block: %w", err)
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, name+"-artifacts-versioning", &s3.BucketVersioningV2Args{
		Bucket:                  bucket.Bucket,
		VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, pulumi.Parent(s), after(access))
	if err != nil {
		return fmt.Errorf("versioning: %w", err)
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name+"-artifacts-encryption",
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: bucket.Bucket,
			Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{
				&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					// The account's aws/s3 key is free, and whoever may read the object may use it.
					ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
						SseAlgorithm: pulumi.String("aws:kms"),
					},
					BucketKeyEnabled: pulumi.Bool(true),
				},
			},
		}, pulumi.Parent(s), after(versioning))
	if err != nil {
		return fmt.Errorf("encryption: %w", err)
	}
	lifecycle, err := s3.NewBucketLifecycleConfigurationV2(ctx, name+"-artifacts-lifecycle", artifactLifecycle(scope, bucket),
		pulumi.Parent(s), after(encryption))
	if err != nil {
		return fmt.Errorf("lifecycle: %w", err)
	}
	s.ready, err = s3.NewBucketPolicy(ctx, name+"-artifacts-policy", &s3.BucketPolicyArgs{
		Bucket: bucket.Bucket,
		Policy: bucket.Arn.ApplyT(tlsOnly).(pulumi.StringOutput),
	}, pulumi.Parent(s), after(lifecycle))
	if err != nil {
		return fmt.Errorf("bucket policy: %w", err)
	}
	return nil
}

// after makes a resource depend on others that its inputs do not mention.
func after(resources ...pulumi.Resource) pulumi.ResourceOption { return pulumi.DependsOn(resources) }

// artifactLifecycle expires artifacts that no rollback can need, and what was superseded or abandoned. What the stack
// itself keeps in the bucket stays: its keys begin otherwise.
func artifactLifecycle(scope Scope, bucket *s3.BucketV2) *s3.BucketLifecycleConfigurationV2Args {
	return &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{
			&s3.BucketLifecycleConfigurationV2RuleArgs{
				Id:     pulumi.String("expire"),
				Status: pulumi.String("Enabled"),
				Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(scope.artifactPrefix())},
				Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{
					Days: pulumi.Int(artifactDays),
				},
			},
			&s3.BucketLifecycleConfigurationV2RuleArgs{
				Id:     pulumi.String("superseded"),
				Status: pulumi.String("Enabled"),
				Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}, // every object
				NoncurrentVersionExpiration: &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
					NoncurrentDays: pulumi.Int(supersededDays),
				},
				AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
					DaysAfterInitiation: pulumi.Int(abandonedUploadDays),
				},
			},
		},
	}
}

// tlsOnly returns a bucket policy that denies every request without TLS.
func tlsOnly(bucketArn string) (string, error) {
	return document(statement{
		Sid:       "RefuseWithoutTLS",
		Effect:    "Deny",
		Principal: map[string]string{"AWS": "*"},
		Action:    []string{"s3:*"},
		Resource:  []string{bucketArn, bucketArn + "/*"},
		Condition: condition{"Bool": {"aws:SecureTransport": "false"}},
	})
}
