package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/operations"
)

// findCredentials asks AWS whose the credentials are. It does so in the stack's region, which must be enabled for the account,
// and whatever else is wrong with the settings.
func findCredentials(_ context.Context, s *subject) ([]Finding, error) {
	if s.where().Region == "" {
		return nil, errors.New("aws:region is missing or encrypted, see above")
	}
	_, err := s.identity()
	if err == nil || !operations.NoCredentials(err) {
		return nil, err
	}
	message, remedy := split(err)
	return []Finding{{Severity: Error, Message: message, Remedy: remedy}}, nil
}

// findAccount compares the account of the credentials with what the settings and the last up say.
func findAccount(_ context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("secrets", "buildSecrets", "appPolicyArns")
	if err != nil {
		return nil, err
	}
	identity, _ := s.identity()
	var findings []Finding
	for _, violation := range needs.CheckAccount(identity.Account) {
		findings = append(findings, Finding{Severity: Error, Message: violation, Remedy: "Correct the ARN, or use the credentials of the other account, as with AWS_PROFILE."})
	}
	outputs, err := s.outputs()
	if err != nil {
		return findings, fmt.Errorf("account of the last up: %w", err)
	}
	if before := accountOf(outputs); before != "" && before != identity.Account {
		findings = append(findings, Finding{Severity: Error,
			Message: fmt.Sprintf("the credentials, %s, are for account %s, and the stack is in %s", identity.ARN, identity.Account, before),
			Remedy:  "Use the credentials of the stack's account, as with AWS_PROFILE."})
	}
	return findings, nil
}

// accountOf returns the account that a stack's outputs are of, "" for none.
func accountOf(outputs map[string]any) string {
	url, _ := outputs["repositoryUrl"].(string) // 123456789012.dkr.ecr.eu-central-1.amazonaws.com/cicd-dev
	account, _, found := strings.Cut(url, ".dkr.ecr.")
	if !found {
		return ""
	}
	return account
}

// findConnection asks for the status of the connection to GitHub: of the one that the settings name, or else of the stack's own,
// once it is there.
func findConnection(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("connectionArn", "connectionAuthorized")
	if err != nil {
		return nil, err
	}
	name := needs.ConnectionArn
	if name == "" {
		outputs, err := s.outputs()
		if err != nil {
			return nil, fmt.Errorf("the stack's own connection: %w", err)
		}
		if name, _ = outputs["connectionArn"].(string); name == "" {
			return nil, nil // up makes it, and waits for the person who authorizes it
		}
	}
	where := s.where()
	if parsed, err := arn.Parse(name); err == nil {
		where.Region = parsed.Region // one of another region serves as well
	}
	status, err := where.ConnectionStatus(ctx, name)
	switch {
	case operations.Absent(err):
		message, remedy := split(err)
		return []Finding{{Severity: Error, Failure: "F1", Message: message, Remedy: remedy}}, nil
	case err != nil || status == "AVAILABLE":
		return nil, err
	}
	message, remedy := "the connection to GitHub is "+status, needs.AuthorizeConnection
	if needs.ConnectionArn != "" {
		remedy = "Open it in the console, as somebody who may install GitHub Apps for the repository's owner, and choose \"Update pending connection\"."
	}
	if needs.Authorized {
		return []Finding{{Severity: Error, Message: message + ": a pipeline that is created now never starts on a push", Remedy: remedy}}, nil
	}
	return []Finding{{Severity: Warning, Failure: "F1", Message: message + ", so there is no pipeline yet", Remedy: remedy}}, nil
}

// findSecrets looks for the stack's own secrets without a value, with which no release starts.
func findSecrets(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("secrets", "buildSecrets")
	if err != nil {
		return nil, err
	}
	declared := operations.Declared{Container: needs.Application.Secrets, Build: needs.Application.BuildSecrets}
	if len(declared.Names()) == 0 {
		return nil, nil
	}
	store, err := operations.OpenSecrets(ctx, s.where())
	if err != nil {
		return nil, err
	}
	stored, running, err := store.List(ctx)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, secret := range operations.Compare(declared, stored, running) {
		if secret.State == operations.Missing {
			findings = append(findings, Finding{Severity: Error, Message: fmt.Sprintf("secret %s has no value, so the next release fails", secret.Name),
				Remedy: fmt.Sprintf("`cicd secrets set %s --stack %s`.", secret.Name, s.Name)})
		}
	}
	return findings, nil
}
