using System.Collections.Immutable;

namespace Serve.Runtime.Onnx;

/// <summary>Where models are loaded: whose they are, and what that one has of the machine.</summary>
public sealed record OnnxLoadContext
{
    /// <summary>Folders in which a relative path is looked for, in order.</summary>
    public ImmutableArray<string> Folders { get; init; } = [Environment.CurrentDirectory];

    /// <summary>The devices that the scheduler has given; empty without <c>num_gpus</c>.</summary>
    public ImmutableArray<int> GpuIds { get; init; } = [];

    /// <summary>How much of a device was asked for; a fraction shares it.</summary>
    public double NumGpus { get; init; }

    /// <summary>
    /// How many threads the models of this process share: its CPUs, divided by the replicas that have a process each on this machine. What the first model of
    /// a process says holds for all.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
