// Command behave is a guest for the host's tests: it behaves, well or badly, as the request's bundle says.
package main

import (
	"bytes"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	plugin "github.com/siyiban/onething/sdk/go"
)

var _ = plugin.Serve(plugin.Plugin{Check: check, Decide: decide, Issue: issue})

func main() {}

// Marks that a later call must not find.
var (
	mark    string
	marks   = map[string]bool{}
	secrets [][]byte
)

var sink [][]byte

func check(call *plugin.Call) ([]plugin.Finding, error) {
	note := func(text string) []plugin.Finding {
		return []plugin.Finding{{Code: "told", Severity: plugin.Note, TextZH: text}}
	}
	switch call.Bundle() {
	case "echo":
		text, ok := call.Text("form.person.name")
		if !ok {
			return nil, errors.New("no name")
		}
		return note(text), nil
	case "panic":
		panic("on purpose")
	case "exit":
		os.Exit(0)
	case "nil":
		var p *int
		*p = 1
	case "loop", "spin":
		for i := 0; ; i++ {
			if i == -1 {
				return nil, nil
			}
		}
	case "recurse":
		return note(fmt.Sprint(recurse(1))), nil
	case "allocate":
		for {
			sink = append(sink, bytes.Repeat([]byte{1}, 1<<20))
		}
	case "mark":
		mark, marks["seen"] = "mark", true
		for range 100 {
			secrets = append(secrets, bytes.Repeat([]byte("a secret of the earlier call"), 100))
		}
		return note("marked"), nil
	case "look for marks":
		if mark != "" || len(marks) > 0 || secrets != nil {
			return note("found a mark"), nil
		}
		// Fresh memory of the guest's own heap must be zero wherever it comes from.
		for range 64 {
			block := make([]byte, 64<<10)
			if bytes.Contains(block[:cap(block)], []byte("secret")) {
				return note("found a secret"), nil
			}
			sink = append(sink, block)
		}
		return nil, nil
	case "print":
		fmt.Println("to nowhere")
		fmt.Fprintln(os.Stderr, "to nowhere")
		return note("printed"), nil
	case "surroundings":
		_, err := os.Stdin.Read(make([]byte, 1))
		return note(fmt.Sprint(len(os.Args), len(os.Environ()), err != nil)), nil
	case "lots":
		lot := make([]byte, 16)
		_, _ = crand.Read(lot)
		return note(hex.EncodeToString(lot)), nil
	case "clock":
		before := time.Now()
		time.Sleep(time.Hour)
		after := time.Now()
		for time.Since(after) < time.Millisecond { // a clock that stands still would loop here
		}
		return note(fmt.Sprint(before.UTC().Format(time.DateOnly), " ", after.Sub(before) >= time.Hour)), nil
	case "goroutines":
		sum := make(chan int)
		for i := range 10 {
			go func() { sum <- i }()
		}
		total := 0
		for range 10 {
			total += <-sum
		}
		return note(fmt.Sprint(total)), nil
	case "find":
		return make([]plugin.Finding, 1), nil
	case "look up":
		entry, err := call.SharedData("register", "320101199003071234", "核对户籍")
		if err != nil {
			return nil, err
		}
		name, _ := entry.Values.Text("name")
		return note(fmt.Sprint(entry.Answered, entry.Found, " ", name)), nil
	case "look up elsewhere":
		_, err := call.SharedData("credit", "320101199003071234", "核对户籍")
		return nil, err
	case "look up often":
		for {
			if _, err := call.SharedData("register", "1", "核对户籍"); err != nil {
				return nil, err
			}
		}
	case "look up at length":
		for {
			if _, err := call.SharedData("register", strings.Repeat("1", 100_000), "核对户籍"); err != nil && !strings.Contains(err.Error(), "bad_request") {
				return nil, err
			}
		}
	case "count":
		value, _, err := call.Store().Get("count")
		if err != nil {
			return nil, err
		}
		call.Log("counted", map[string]int64{"digits": int64(len(value))})
		keys, err := call.Store().List("", "", 0)
		if err != nil {
			return nil, err
		}
		return note(fmt.Sprint(string(value), keys)), call.Store().Put("count", append(value, '+'))
	case "count and panic":
		if err := call.Store().Put("count", []byte("lost")); err != nil {
			return nil, err
		}
		panic("on purpose")
	case "ask outside", "ask outside and panic":
		answer, err := call.HTTP(plugin.HTTPRequest{Method: "POST", URL: "http://ledger.example.cn/rows", Headers: map[string]string{"X-A": "1", "X-B": "2", "X-C": "3"}, Body: []byte("row")})
		if err != nil {
			return nil, err
		}
		if call.Bundle() == "ask outside and panic" {
			panic("on purpose")
		}
		return note(fmt.Sprint(answer.Answered, answer.Status, " ", string(answer.Body))), nil
	case "give up":
		return nil, errors.New("the table of parameters is empty")
	}
	return nil, nil
}

func recurse(n int) int {
	var block [512]byte
	block[n%512] = byte(n)
	return recurse(n+1) + int(block[(n+1)%512])
}

func decide(call *plugin.Call) (plugin.Decision, error) {
	switch call.Bundle() {
	case "panic", "exit", "spin", "allocate":
		_, err := check(call)
		return plugin.Decision{}, err
	case "nonsense": // well formed, but of no field that the step has
		return plugin.Approve(plugin.Values{"colour": call.Today()}), nil
	}
	birth, ok := call.Date("form.newborn.birth_date")
	if !ok {
		return plugin.Undetermined(plugin.Finding{Code: "no_birth_date", TextZH: "缺少出生日期"}), nil
	}
	if birth.After(call.Today()) {
		return plugin.Reject(plugin.Finding{Code: "not_born", Path: "form.newborn.birth_date", TextZH: "出生日期晚于受理日"}), nil
	}
	return plugin.Approve(plugin.Values{"registered_on": call.Today()}), nil
}

func issue(call *plugin.Call) (plugin.Document, error) {
	size := 1000
	if call.Bundle() == "huge" {
		size = 3 << 20
	}
	return plugin.Document{MediaType: "text/plain", Content: bytes.Repeat([]byte("x"), size)}, nil
}
