"""The custom resources, the plan and the report as models: no clock, no client, no I/O."""
