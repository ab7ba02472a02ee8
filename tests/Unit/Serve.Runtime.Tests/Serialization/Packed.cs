using MemoryPack;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>Type with [MemoryPackable].</summary>
[MemoryPackable]
public sealed partial class Packed
{
    public string Name { get; set; } = "";

    public int[] Values { get; set; } = [];
}
