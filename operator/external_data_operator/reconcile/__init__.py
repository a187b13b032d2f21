"""Pure decisions: values in, values out; no kopf, no kubernetes, no clock but an argument."""
