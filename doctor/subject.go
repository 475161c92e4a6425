package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"cicd/infra"
	"cicd/operations"
)

// subject is what checks look at. What several of them need is looked up once.
type subject struct {
	Stack
	// needs is what the settings ask for, or the error is infra.CheckConfig's.
	needs    func() (infra.Needs, error)
	commit   func() (*commit, error)
	identity func() (operations.Identity, error)
	outputs  func() (map[string]any, error)
}

func newSubject(ctx context.Context, stack Stack) *subject {
	s := &subject{Stack: stack}
	s.needs = sync.OnceValues(func() (infra.Needs, error) {
		return infra.ReadNeeds(stack.Project, stack.Name, stack.Config, stack.Encrypted)
	})
	s.commit = sync.OnceValues(func() (*commit, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return readCommit(ctx, stack.Dir)
	})
	s.identity = sync.OnceValues(func() (operations.Identity, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.where().Identity(ctx)
	})
	s.outputs = sync.OnceValues(func() (map[string]any, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return stack.Outputs(ctx)
	})
	return s
}

// where is the stack in AWS.
func (s *subject) where() operations.Stack {
	return operations.Stack{Project: s.Project, Name: s.Name, Region: s.Config["aws:region"]}
}

// settings returns what valid settings ask for. keys are those that the caller looks at: a value that is encrypted is unknown.
func (s *subject) settings(keys ...string) (infra.Needs, error) {
	needs, err := s.needs()
	if err != nil {
		return needs, errors.New("the settings are not valid, see above")
	}
	for _, key := range keys {
		if needs.Encrypted(key) {
			return needs, fmt.Errorf("%s is encrypted, and only the program reads it\n"+
				"To do: it is no secret: `pulumi config set %[1]s VALUE --plaintext --stack %s`", key, s.Name)
		}
	}
	return needs, nil
}

// aws returns what valid settings ask for, if AWS accepts the credentials.
func (s *subject) aws(keys ...string) (infra.Needs, error) {
	needs, err := s.settings(keys...)
	if err != nil {
		return needs, err
	}
	if _, err := s.identity(); err != nil {
		return needs, errors.New("AWS does not answer these credentials, see above")
	}
	return needs, nil
}

// split returns an error's message, and what it says to do.
func split(err error) (message, remedy string) {
	message, remedy, _ = strings.Cut(err.Error(), "\n")
	return message, strings.TrimPrefix(strings.Join(strings.Fields(remedy), " "), "To do: ")
}
