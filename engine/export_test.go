package engine

import "context"

// Search runs what is searched for callers.
func Search(e *Engine, ctx context.Context, f func() error) error { //nolint:revive // as the method has them
	return e.search(ctx, f)
}
