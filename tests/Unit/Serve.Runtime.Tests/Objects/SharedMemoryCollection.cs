namespace Serve.Runtime.Tests.Objects;

/// <summary>Tests that look at what this process has mapped and open, or torture its collector, run alone.</summary>
[CollectionDefinition("Shared memory", DisableParallelization = true)]
public sealed class SharedMemoryCollection;
