// Package incall is what a call's context tells our own packages and authors
// need not know.
package incall

import "context"

// EndpointKey finds the name of the call, as metrics have it.
type EndpointKey struct{}

// Endpoint returns the name of the call that ctx belongs to, or "".
func Endpoint(ctx context.Context) string {
	name, _ := ctx.Value(EndpointKey{}).(string)
	return name
}
