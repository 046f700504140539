"""Stand-ins for IoT Edge's edgeHub and its workload API, to which the unmodified Azure SDK connects."""
