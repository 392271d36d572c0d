// Command walk goes through every service of a server in development, as a front end, a clerk and a department's system
// would: go run ./examples/intake/walk --api http://127.0.0.1:8080 --issuer http://127.0.0.1:8081/issuer
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/siyiban/onething/examples/intake"
)

func main() {
	api := flag.String("api", "http://127.0.0.1:8080", "address of the API")
	issuer := flag.String("issuer", "http://127.0.0.1:8081/issuer", "address of the development issuer")
	flag.Parse()
	if err := intake.Walk(context.Background(), *api, *issuer, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}
