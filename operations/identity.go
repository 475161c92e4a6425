package operations

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Identity says whose the credentials are.
type Identity struct {
	// Account is the 12-digit id of the account, and ARN the user's or role's.
	Account, ARN string
}

// credentialsError is that of credentials that are none, or not valid any more.
type credentialsError struct{ error }

func (e credentialsError) Unwrap() error { return e.error }

// NoCredentials reports whether an error says that there are no credentials, or that AWS does not accept them. Otherwise it
// is not known whether it does.
func NoCredentials(err error) bool {
	var e credentialsError
	return errors.As(err, &e)
}

// credentialCodes are the codes of errors that are about the credentials, in the JSON protocol and in STS's.
var credentialCodes = []string{
	"ExpiredToken", "ExpiredTokenException",
	"InvalidClientTokenId", "UnrecognizedClientException",
	"SignatureDoesNotMatch", "InvalidSignatureException",
}

// Identity asks AWS whose the credentials are, which needs no permission (STS API reference, GetCallerIdentity).
func (s Stack) Identity(ctx context.Context) (Identity, error) {
	settings, err := s.connect(ctx)
	switch {
	case ctx.Err() != nil:
		return Identity{}, ctx.Err()
	case err != nil:
		return Identity{}, credentialsError{err}
	}
	answer, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil {
		return Identity{aws.ToString(answer.Account), aws.ToString(answer.Arn)}, nil
	}
	err = s.explain(ctx, "AWS credentials", err, identityRemedies)
	if refused := (refusal{}); errors.As(err, &refused) && slices.Contains(credentialCodes, refused.code) {
		return Identity{}, credentialsError{err}
	}
	return Identity{}, err
}
