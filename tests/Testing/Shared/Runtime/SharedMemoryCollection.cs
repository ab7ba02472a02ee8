namespace Serve.Runtime.Testing;

/// <summary>Tests that inspect mappings and handles of this process, or force collections, do not run in parallel.</summary>
[CollectionDefinition("Shared memory", DisableParallelization = true)]
public sealed class SharedMemoryCollection;
