package rule

import (
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// Bounds of a rule and of what it may do. The sizes are the greatest that package kind accepts, so that no
// record makes a rule costlier than was estimated; a rule within the budget takes a quarter of a second at worst.
const (
	maxLength  = 4000      // code points of a rule
	maxNodes   = 1000      // nodes of the parsed rule
	maxDepth   = 60        // brackets inside each other
	maxFolds   = 2         // `all` inside of `all`
	costBudget = 1_000_000 // in CEL's units, about a comparison each
	maxRows    = 500       // rows of a list
	maxText    = 4000      // characters of a text
)

// sizes bounds lists and texts, which CEL takes for endless.
type sizes struct{}

// EstimateSize returns the greatest size of what CEL cannot count itself.
func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if node.ComputedSize() != nil || node.Type() == nil {
		return nil
	}
	var bound cost.SizeEstimate
	switch node.Type().Kind() {
	case types.ListKind:
		bound = cost.RangedSizeEstimate(0, maxRows)
	case types.StringKind:
		bound = cost.RangedSizeEstimate(0, maxText)
	default:
		bound = cost.FixedSizeEstimate(1)
	}
	return &bound
}

// EstimateCallCost returns what the functions of lists do; the others do what CEL thinks, or one step.
func (sizes) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	switch function {
	case "sum", "smallest", "largest", "earliest", "latest":
		return &cost.CallEstimate{CostEstimate: cost.FixedCostEstimate(maxRows)}
	case "distinct":
		return &cost.CallEstimate{CostEstimate: cost.FixedCostEstimate(maxRows * maxRows)}
	}
	return nil
}
