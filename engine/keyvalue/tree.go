package keyvalue

import "strings"

// node is a node of a balanced search tree (AVL). A tree is never changed: what changes is copied, about as many nodes as
// the tree is high, so that whoever holds an older one goes on reading it.
type node struct {
	key         string
	value       []byte
	version     uint64 // of the store with which the value was written
	height      int
	left, right *node
}

func (n *node) high() int {
	if n == nil {
		return 0
	}
	return n.height
}

// join returns a node in place of n with other children, balanced: their heights differ by two at most.
func (n *node) join(left, right *node) *node {
	switch difference := left.high() - right.high(); {
	case difference > 1 && left.left.high() >= left.right.high():
		return left.with(left.left, n.with(left.right, right))
	case difference > 1:
		middle := left.right
		return middle.with(left.with(left.left, middle.left), n.with(middle.right, right))
	case difference < -1 && right.right.high() >= right.left.high():
		return right.with(n.with(left, right.left), right.right)
	case difference < -1:
		middle := right.left
		return middle.with(n.with(left, middle.left), right.with(middle.right, right.right))
	default:
		return n.with(left, right)
	}
}

func (n *node) with(left, right *node) *node {
	return &node{key: n.key, value: n.value, version: n.version, height: 1 + max(left.high(), right.high()), left: left, right: right}
}

func (n *node) find(key string) *node {
	for n != nil && n.key != key {
		if key < n.key {
			n = n.left
		} else {
			n = n.right
		}
	}
	return n
}

func (n *node) put(key string, value []byte, version uint64) *node {
	switch {
	case n == nil:
		return &node{key: key, value: value, version: version, height: 1}
	case key < n.key:
		return n.join(n.left.put(key, value, version), n.right)
	case key > n.key:
		return n.join(n.left, n.right.put(key, value, version))
	default:
		return &node{key: key, value: value, version: version, height: n.height, left: n.left, right: n.right}
	}
}

func (n *node) remove(key string) *node {
	switch {
	case n == nil:
		return nil
	case key < n.key:
		return n.join(n.left.remove(key), n.right)
	case key > n.key:
		return n.join(n.left, n.right.remove(key))
	case n.left == nil:
		return n.right
	case n.right == nil:
		return n.left
	default:
		next := n.right
		for next.left != nil {
			next = next.left
		}
		return next.join(n.left, n.right.remove(next.key))
	}
}

// walk hands the keys that begin with a prefix and come after a key to visit, in order, until it returns false.
func (n *node) walk(prefix, after string, visit func(*node) bool) bool {
	if n == nil {
		return true
	}
	below := n.key < prefix || n.key <= after
	beyond := n.key > prefix && !strings.HasPrefix(n.key, prefix)
	if !below && !n.left.walk(prefix, after, visit) {
		return false
	}
	if !below && !beyond && !visit(n) {
		return false
	}
	return beyond || n.right.walk(prefix, after, visit)
}
