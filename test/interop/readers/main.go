// Readers of other people's servers, for the files of the kit: the first argument says which, standard input is the file. What it
// read goes to standard output as JSON; what it refuses goes to standard error, and the status is 1.
//
//	declaration: KMFDDM, a server of declarative device management
//	yaml:        the library with which Fleet's GitOps reads its files, in its strict form: a key may stand once
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/ghodss/yaml"
	"github.com/jessepeterson/kmfddm/ddm"
	strict "gopkg.in/yaml.v2"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kind string) error {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	switch kind {
	case "declaration":
		declaration, err := ddm.ParseDeclaration(data)
		if err != nil {
			return err
		}
		if !declaration.Valid() {
			return fmt.Errorf("not a valid declaration")
		}
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"manifest":   ddm.ManifestType(declaration.Type),
			"identifier": declaration.Identifier,
			"payload":    declaration.Payload,
		})
	case "yaml":
		var once any
		if err := strict.UnmarshalStrict(data, &once); err != nil {
			return err
		}
		text, err := yaml.YAMLToJSON(data)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(text)
		return err
	}
	return fmt.Errorf("unknown kind %q", kind)
}
