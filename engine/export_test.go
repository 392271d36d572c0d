package engine

import (
	"context"

	"github.com/siyiban/onething/engine/seal"
)

// Search runs what is searched for callers.
func Search(e *Engine, ctx context.Context, f func() error) error { //nolint:revive // as the method has them
	return e.search(ctx, f)
}

// RequestDigest is the digest that is kept of a request.
func RequestDigest(keys *seal.Store, r Request) ([]byte, error) {
	return (&Engine{cfg: Config{Keys: keys}}).requestDigest(r)
}
