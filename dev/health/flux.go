// Flux's way with health check expressions.

package main

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// expressions are one entry of a Kustomization's `healthCheckExprs`.
type expressions struct {
	APIVersion string `json:"apiVersion"`
	// Without it the entry is for every kind of the group.
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

type check struct {
	group, kind string
	// In the order in which Flux asks them.
	steps []step
}

type step struct {
	program cel.Program
	status  status.Status
}

func compile(entries []expressions) ([]check, error) {
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders(),
	)
	if err != nil {
		return nil, err
	}
	checks := make([]check, 0, len(entries))
	for _, entry := range entries {
		if entry.Current == "" {
			return nil, fmt.Errorf("the expressions for %s lack `current`", entry.APIVersion)
		}
		compiled := check{group: schema.FromAPIVersionAndKind(entry.APIVersion, "").Group, kind: entry.Kind}
		for _, each := range []struct {
			expression string
			status     status.Status
		}{
			{entry.InProgress, status.InProgressStatus},
			{entry.Failed, status.FailedStatus},
			{entry.Current, status.CurrentStatus},
		} {
			if each.expression == "" {
				continue
			}
			parsed, issues := env.Parse(each.expression)
			if issues.Err() != nil {
				return nil, fmt.Errorf("the expression %q: %w", each.expression, issues.Err())
			}
			program, err := env.Program(parsed, cel.EvalOptions(cel.OptOptimize))
			if err != nil {
				return nil, fmt.Errorf("the expression %q: %w", each.expression, err)
			}
			compiled.steps = append(compiled.steps, step{program, each.status})
		}
		checks = append(checks, compiled)
	}
	return checks, nil
}

// flux gives no status for a kind that no entry is about.
func flux(object *unstructured.Unstructured, checks []check) verdict {
	of := object.GroupVersionKind()
	for _, check := range checks {
		if check.group == of.Group && (check.kind == "" || check.kind == of.Kind) {
			return check.evaluate(object.Object)
		}
	}
	return verdict{}
}

func (c check) evaluate(object map[string]any) verdict {
	observed, found, _ := unstructured.NestedInt64(object, "status", "observedGeneration")
	generation, _, _ := unstructured.NestedInt64(object, "metadata", "generation")
	if found && observed != generation {
		return verdict{Status: string(status.InProgressStatus)}
	}
	for _, step := range c.steps {
		value, _, err := step.program.Eval(object)
		if err != nil {
			return verdict{Error: err.Error()}
		}
		if value.Value() == true {
			return verdict{Status: string(step.status)}
		}
	}
	return verdict{Status: string(status.InProgressStatus)}
}
