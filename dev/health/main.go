// Program health says what kstatus, Argo CD and Flux make of Kubernetes objects, each by its own rules. A question comes
// as JSON on standard input; the answers go as JSON to standard output, one for each object, in their order.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type question struct {
	// Argo CD's scripts, by kind.
	Scripts map[string]scripts `json:"scripts"`
	// Flux's `healthCheckExprs`.
	Expressions []expressions     `json:"healthCheckExprs"`
	Objects     []json.RawMessage `json:"objects"`
}

type answer struct {
	Kstatus verdict `json:"kstatus"`
	Argo    verdict `json:"argo"`
	Flux    verdict `json:"flux"`
	// What Argo CD offers to do.
	Offered []offer `json:"offered"`
	// What each action makes of the object, whether it is offered or not.
	Acted map[string]acted `json:"acted"`
}

// verdict is a status with its message, or why there is none.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Error   string `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var asked question
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	checks, err := compile(asked.Expressions)
	if err != nil {
		return err
	}
	answers := make([]answer, 0, len(asked.Objects))
	for number, text := range asked.Objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return fmt.Errorf("object %d: %w", number, err)
		}
		answered, err := ask(object, asked.Scripts[object.GetKind()], checks)
		if err != nil {
			return fmt.Errorf("object %d, %s %q: %w", number, object.GetKind(), object.GetName(), err)
		}
		answers = append(answers, answered)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(answers)
}

func ask(object *unstructured.Unstructured, scripts scripts, checks []check) (answer, error) {
	offered, err := scripts.offered(object)
	if err != nil {
		return answer{}, err
	}
	return answer{
		Kstatus: kstatus(object),
		Argo:    scripts.health(object),
		Flux:    flux(object, checks),
		Offered: offered,
		Acted:   scripts.act(object),
	}, nil
}

func kstatus(object *unstructured.Unstructured) verdict {
	result, err := status.Compute(object)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	return verdict{Status: string(result.Status), Message: result.Message}
}
