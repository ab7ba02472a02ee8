using System.Collections.Immutable;

namespace Serve.Runtime.Onnx;

/// <summary>Folders and resources of the replica that loads models.</summary>
public sealed record OnnxLoadContext
{
    /// <summary>Folders that relative paths are resolved against, in order.</summary>
    public ImmutableArray<string> Folders { get; init; } = [Environment.CurrentDirectory];

    /// <summary>GPUs that the scheduler assigned; empty without <c>num_gpus</c>.</summary>
    public ImmutableArray<int> GpuIds { get; init; } = [];

    /// <summary>Loads each model in a process of its own first; null for none, in a process that hosts only this replica's application.</summary>
    public OnnxModelProbe? Probe { get; init; }

    /// <summary>Number of reserved GPUs; a fraction shares one.</summary>
    public double NumGpus { get; init; }

    /// <summary>
    /// Number of threads that all models of this process share: its CPUs, divided by the number of replicas with a process of their own on this machine. The first
    /// model of a process determines the value.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
