"""How computations run: graphs, replicas, cores and train steps."""
