package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// roleArgs describes a role that one service assumes for one purpose.
type roleArgs struct {
	// purpose is the suffix of the role's name; at most 12 characters.
	purpose     string
	description string
	trust       statement
	grants      []grant
}

// role is an IAM role with its policy.
type role struct {
	*iam.Role
	// policy must exist before anything uses the role: until then the role may do nothing (F12).
	policy *iam.RolePolicy
}

// newRole declares a role and its policy below parent. The policy is inline, so it cannot be attached elsewhere.
func newRole(ctx *pulumi.Context, name string, scope Scope, args roleArgs, parent pulumi.Resource) (*role, error) {
	assume, err := document(args.trust)
	if err != nil {
		return nil, err
	}
	r, err := iam.NewRole(ctx, name+"-"+args.purpose+"-role", &iam.RoleArgs{
		Name:             pulumi.String(scope.roleName(args.purpose)),
		Description:      pulumi.String(args.description),
		AssumeRolePolicy: pulumi.String(assume),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("%s role: %w", args.purpose, err)
	}
	policy, err := iam.NewRolePolicy(ctx, name+"-"+args.purpose+"-policy", &iam.RolePolicyArgs{
		Name:   pulumi.String(args.purpose),
		Role:   r.Name,
		Policy: grants(args.grants),
	}, pulumi.Parent(parent))
	if err != nil {
		return nil, fmt.Errorf("%s role's policy: %w", args.purpose, err)
	}
	return &role{Role: r, policy: policy}, nil
}
