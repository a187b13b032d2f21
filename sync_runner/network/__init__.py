"""The way to the outside for every protocol: which hosts may be reached, and the only place that
opens a socket."""
