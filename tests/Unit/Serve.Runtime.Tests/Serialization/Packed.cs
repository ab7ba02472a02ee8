using MemoryPack;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>Carries MemoryPack.</summary>
[MemoryPackable]
public sealed partial class Packed
{
    public string Name { get; set; } = "";

    public int[] Values { get; set; } = [];
}
