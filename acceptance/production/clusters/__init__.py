"""Files that hand work to a cluster's own scheduler: Jobs for Kubernetes, array scripts for Slurm."""
