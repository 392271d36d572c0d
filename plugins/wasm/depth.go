package wasm

// Room is as much as a host should set DepthGlobal to: the estimate of a frame is up to eight times too small for code that
// is made for it, and the compiler's own stack ends at 400 MB, for which it takes a third of a second.
const Room = 48 << 20

// mostUncounted is the most native stack, in bytes, that functions take together which do not count it: they call each
// other, and at last one that does or none.
const mostUncounted = 2 << 10

// frameBytes estimates what the compiler takes of the native stack for a call of the function: a slot for each value that
// lives across a call and finds no register. Values are parameters, locals and operands, and each assignment, and each
// place where branches meet, may make another one; of those most are gone before a call, so they count an eighth.
func frameBytes(b *body) int {
	return 64 + 8*(b.params+b.own+b.height) + b.sets + b.crossing + b.labels*(b.params+b.own)
}

// frames returns for each function what it takes off the depth when it begins, 0 if it does not count. Counting costs at
// each call, so only those functions count that are on every circle of calls: those through which a walk of the direct
// calls comes back, and those that call through a table. They count for the ones between as well.
func (m *Module) frames() []int {
	const unseen, open, done = 0, 1, 2
	state := make([]byte, len(m.bodies))
	counts := make([]bool, len(m.bodies))
	below := make([]int, len(m.bodies)) // of the native stack, in callees that do not count
	type visit struct{ function, next int }
	var path []visit
	for root := range m.bodies {
		if state[root] == unseen {
			state[root] = open
			path = append(path, visit{root, m.bodies[root].calleesFrom})
		}
		for len(path) > 0 {
			v := &path[len(path)-1]
			b := &m.bodies[v.function]
			if v.next < b.calleesTo {
				callee := int(m.callees[v.next])
				v.next++
				switch state[callee] {
				case unseen:
					state[callee] = open
					path = append(path, visit{callee, m.bodies[callee].calleesFrom})
				case open:
					counts[callee] = true
				}
				continue
			}
			f := v.function
			state[f] = done
			path = path[:len(path)-1]
			for _, callee := range m.callees[b.calleesFrom:b.calleesTo] {
				if !counts[callee] {
					below[f] = max(below[f], below[callee]+frameBytes(&m.bodies[callee]))
				}
			}
			if b.indirect {
				counts[f], below[f] = true, mostUncounted
			}
			if below[f]+frameBytes(b) > mostUncounted {
				counts[f] = true
			}
		}
	}
	for f := range below {
		if counts[f] {
			below[f] += frameBytes(&m.bodies[f])
		} else {
			below[f] = 0
		}
	}
	return below
}
