// Reads histories of a register from standard input, one a line, and says of each whether porcupine finds it linearizable:
// "Ok", "Illegal", or "Unknown" when it took too long. What a history is: ../register.py. It holds that search against an
// independent one; nothing of the test suite needs it (../cross_check.py).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	lineBytesMax = 256 << 20
	noValue      = int64(0) // values are numbers from 1
	patience     = 10 * time.Second
)

type operation struct {
	Client   int
	Kind     string
	Value    int64
	Expected int64
	Called   int64
	Returned *int64 // nil: at the end of the history
	Result   int64  // of a get the value, of a conditional write 0 or 1
	IsKnown  bool
}

type history struct {
	Initial    int64
	Operations []operation
}

// What the register may hold behind an operation: none when it cannot have had this result.
func step(held int64, done operation) []interface{} {
	after := held
	switch done.Kind {
	case "get":
		if done.IsKnown && done.Result != held {
			return nil
		}
	case "put":
		after = done.Value
	case "delete":
		after = noValue
	case "create", "replace":
		holds := held == noValue
		if done.Kind == "replace" {
			holds = held == done.Expected
		}
		if done.IsKnown && holds != (done.Result == 1) {
			return nil
		}
		if holds {
			after = done.Value
		}
	default:
		panic("unknown kind: " + done.Kind)
	}
	if !done.IsKnown {
		return []interface{}{held, after}
	}
	return []interface{}{after}
}

func check(told history) porcupine.CheckResult {
	model := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{told.Initial} },
		Step: func(state, input, output interface{}) []interface{} {
			return step(state.(int64), input.(operation))
		},
		Hash: func(state interface{}) uint64 { return uint64(state.(int64)) * 0x9e3779b97f4a7c15 },
	}
	operations := make([]porcupine.Operation, len(told.Operations))
	for i, each := range told.Operations {
		returned := int64(math.MaxInt64)
		if each.Returned != nil {
			returned = *each.Returned
		}
		operations[i] = porcupine.Operation{ClientId: each.Client, Input: each, Call: each.Called, Return: returned}
	}
	return porcupine.CheckOperationsTimeout(model.ToModel(), operations, patience)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		var told history
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			fmt.Fprintln(os.Stderr, "porcupine:", err)
			os.Exit(1)
		}
		fmt.Println(check(told))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "porcupine:", err)
		os.Exit(1)
	}
}
