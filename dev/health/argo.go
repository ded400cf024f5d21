// Argo CD's way with Lua scripts.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

// scriptTime is how long a script may run.
const scriptTime = time.Second

// statuses are those that a health script may return.
var statuses = []string{"Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing"}

// scripts are those of one kind. Any of them may be missing.
type scripts struct {
	Health    string            `json:"health"`
	Discovery string            `json:"discovery"`
	Actions   map[string]string `json:"actions"`
}

// offer is an action as a discovery script describes it.
type offer struct {
	Name        string `json:"name"`
	Disabled    bool   `json:"disabled"`
	IconClass   string `json:"iconClass,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// acted is an object after an action, or why there is none.
type acted struct {
	Object map[string]any `json:"object,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func (s scripts) health(object *unstructured.Unstructured) verdict {
	if s.Health == "" {
		return verdict{}
	}
	text, err := runScript(object.Object, s.Health)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	var told struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return verdict{Error: err.Error()}
	}
	if !slices.Contains(statuses, told.Status) {
		return verdict{Status: "Unknown", Message: "Lua returned an invalid health status"}
	}
	return verdict{Status: told.Status, Message: told.Message}
}

func (s scripts) offered(object *unstructured.Unstructured) ([]offer, error) {
	if s.Discovery == "" {
		return []offer{}, nil
	}
	text, err := runScript(object.Object, s.Discovery)
	if err != nil {
		return nil, fmt.Errorf("the discovery script: %w", err)
	}
	offers := map[string]offer{}
	// An empty table may be either, and is written as an array.
	if string(text) != "[]" {
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&offers); err != nil {
			return nil, fmt.Errorf("the discovery script: %w", err)
		}
	}
	sorted := make([]offer, 0, len(offers))
	for name, found := range offers {
		found.Name = name
		sorted = append(sorted, found)
	}
	slices.SortFunc(sorted, func(a, b offer) int { return strings.Compare(a.Name, b.Name) })
	return sorted, nil
}

func (s scripts) act(object *unstructured.Unstructured) map[string]acted {
	results := map[string]acted{}
	for name, script := range s.Actions {
		text, err := runScript(object.Object, script)
		if err != nil {
			results[name] = acted{Error: err.Error()}
			continue
		}
		var after map[string]any
		if err := json.Unmarshal(text, &after); err != nil {
			results[name] = acted{Error: err.Error()}
			continue
		}
		restored(after, object.Object)
		results[name] = acted{Object: after}
	}
	return results
}

// runScript runs a script with `obj` and the libraries that Argo CD opens for it, less its own `os` with the two functions
// `time` and `date`, and gives the table that the script returns as JSON.
func runScript(object map[string]any, script string) ([]byte, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
	} {
		call := lua.P{Fn: state.NewFunction(library.open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	returned := state.Get(-1)
	if returned.Type() != lua.LTTable {
		return nil, fmt.Errorf("a script must return a table, not %s", returned.Type())
	}
	return luajson.Encode(returned)
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

// restored gives back as maps what Lua, whose empty tables may be either, has made empty arrays of.
func restored(after, before any) any {
	switch after := after.(type) {
	case map[string]any:
		if before, ok := before.(map[string]any); ok {
			for key, value := range after {
				after[key] = restored(value, before[key])
			}
		}
	case []any:
		switch before := before.(type) {
		case map[string]any:
			if len(after) == 0 {
				return map[string]any{}
			}
		case []any:
			for i := range min(len(after), len(before)) {
				after[i] = restored(after[i], before[i])
			}
		}
	}
	return after
}
