// Package account holds what a stack declares: the resources of one rehearsed AWS account and its GitHub side, as the
// provider recorded them. Every other part of the rehearsal reads its configuration only here, so what the stack does
// not declare does not exist in the rehearsal.
package account

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/internal/regions"
)

// Resource is one declared resource, as the provider recorded it.
type Resource struct {
	// Type is the Pulumi type token, such as Bucket.
	Type string
	// Name is the Pulumi logical name.
	Name string
	// URN identifies the resource in its stack.
	URN string
	// ID is the cloud's identifier: a name, an ARN or a generated id, as with the real provider for this type.
	ID string
	// Properties are the resource's outputs (including its inputs) by Pulumi name, as plain JSON values.
	Properties map[string]any
	// created is when it was recorded first, and deleted when it was deleted, by the account's clock.
	created, deleted time.Time
}

// String returns the named property, or "" if it is absent or not a string.
func (r Resource) String(name string) string {
	s, _ := r.Properties[name].(string)
	return s
}

// Decode fills a struct of the caller's choice, whose json tags are Pulumi's property names.
func Decode[T any](r Resource) (T, error) {
	var out T
	raw, err := json.Marshal(r.Properties)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return out, fmt.Errorf("%s %q: %w", r.Type, r.Name, err)
	}
	return out, nil
}

// Account is the set of declared resources. It is safe for concurrent use.
type Account struct {
	id string

	mu        sync.RWMutex
	region    string
	existing  []Resource // from before the stack, see AddExisting
	resources []Resource // in order of creation
	deleted   []Resource // in order of their end
	elapsed   time.Duration
}

// New returns an empty account with a 12-digit account id.
func New(id string) *Account { return &Account{id: id} }

// ID returns the 12-digit account id.
func (a *Account) ID() string { return a.id }

// Region returns the region that the stack's provider is configured with, or "" before that.
func (a *Account) Region() string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.region
}

// SetRegion records the region that the stack's provider is configured with.
func (a *Account) SetRegion(region string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.region = region
}

// Partition returns the partition of the region, such as "aws".
func (a *Account) Partition() string {
	region, _ := regions.Find(a.Region())
	return cmp.Or(region.Partition, "aws")
}

// ARN returns the ARN of a service's resource in the account and its region.
func (a *Account) ARN(service, resource string) string {
	return arn.ARN{Partition: a.Partition(), Service: service, Region: a.Region(), AccountID: a.id, Resource: resource}.String()
}

// Put records a created or updated resource by its URN and ID. A replacement shares the URN of what it replaces, so
// both exist until the old one is deleted.
func (a *Account) Put(r Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, old := range a.resources {
		if old.URN == r.URN && old.ID == r.ID {
			r.created = old.created
			a.resources[i] = r
			return
		}
	}
	r.created = time.Now().Add(a.elapsed)
	a.resources = append(a.resources, r)
}

// Set changes a property of a declared resource, as AWS does when something happens to it. Without the resource, it does
// nothing.
func (a *Account) Set(token, id, property string, value any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, r := range a.resources {
		if r.Type == token && r.ID == id {
			r.Properties = maps.Clone(r.Properties) // others may read the old ones
			r.Properties[property] = value
			a.resources[i] = r
		}
	}
}

// Elapse sets the account's clock forward, by the time that a person or AWS would take and a rehearsal does not.
func (a *Account) Elapse(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.elapsed += d
}

// Age returns how long ago the resource was created, by the account's clock.
func (a *Account) Age(r Resource) time.Duration {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return time.Since(r.created) + a.elapsed
}

// Delete removes the resource with this URN and ID, if it exists.
func (a *Account) Delete(urn, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resources = slices.DeleteFunc(a.resources, func(r Resource) bool {
		gone := r.URN == urn && r.ID == id
		if gone {
			r.deleted = time.Now().Add(a.elapsed)
			a.deleted = append(a.deleted, r)
		}
		return gone
	})
}

// DeletedWithin returns the resources that were deleted so recently, by the account's clock. AWS shows some of them.
func (a *Account) DeletedWithin(d time.Duration) []Resource {
	a.mu.RLock()
	defer a.mu.RUnlock()
	since := time.Now().Add(a.elapsed - d)
	return slices.DeleteFunc(slices.Clone(a.deleted), func(r Resource) bool { return r.deleted.Before(since) })
}

// AddExisting records a resource that was there before the stack. The stack can refer to it, so ByType and Find know
// it, but it does not declare it, so All does not return it.
func (a *Account) AddExisting(r Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.existing = append(a.existing, r)
}

// All returns the declared resources in order of creation.
func (a *Account) All() []Resource {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.resources)
}

// ByType returns the resources of one type, those from before the stack first, then the declared ones in order of
// creation.
func (a *Account) ByType(token string) []Resource {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.DeleteFunc(slices.Concat(a.existing, a.resources), func(r Resource) bool { return r.Type != token })
}

// Find returns the first resource of a type whose property has the value. The property "id" stands for Resource.ID. An
// absent property has no value, not even "".
func (a *Account) Find(token, property, value string) (Resource, bool) {
	for _, r := range a.ByType(token) {
		if s, ok := r.Properties[property].(string); ok && s == value || property == "id" && r.ID == value {
			return r, true
		}
	}
	return Resource{}, false
}
