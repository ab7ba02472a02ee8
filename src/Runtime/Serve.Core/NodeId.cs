using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve;

/// <summary>Id of a node: a name that a restart of the node does not change. Serialized as a JSON string.</summary>
/// <param name="Value">The name.</param>
[JsonConverter(typeof(NodeIdJsonConverter))]
public readonly record struct NodeId(string Value) : IComparable<NodeId>
{
    /// <inheritdoc/>
    public int CompareTo(NodeId other) => string.CompareOrdinal(Value, other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <summary>Compares two ids in ordinal order.</summary>
    public static bool operator <(NodeId left, NodeId right) => left.CompareTo(right) < 0;

    /// <summary>Compares two ids in ordinal order.</summary>
    public static bool operator >(NodeId left, NodeId right) => left.CompareTo(right) > 0;

    /// <summary>Compares two ids in ordinal order.</summary>
    public static bool operator <=(NodeId left, NodeId right) => left.CompareTo(right) <= 0;

    /// <summary>Compares two ids in ordinal order.</summary>
    public static bool operator >=(NodeId left, NodeId right) => left.CompareTo(right) >= 0;

    private sealed class NodeIdJsonConverter : JsonConverter<NodeId>
    {
        public override NodeId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.GetString() ?? throw new JsonException("A node id must be a string, but was null."));

        public override void Write(Utf8JsonWriter writer, NodeId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}

/// <summary>Phase of a node in the cluster.</summary>
public enum NodePhase
{
    /// <summary>It has started and does not have the newest routes yet.</summary>
    Joining,

    /// <summary>It hosts replicas, actors and tasks.</summary>
    Ready,

    /// <summary>It accepts nothing new; what runs on it is replaced on other nodes.</summary>
    Draining,

    /// <summary>It does not respond. What runs on it may still serve requests.</summary>
    Unreachable,

    /// <summary>It has left the cluster.</summary>
    Gone,
}

/// <summary>
/// Version of published state. The versions of a later publisher are higher than all of an earlier one, because its epoch is; within an epoch the number grows.
/// </summary>
/// <param name="Epoch">Identifies the publisher: the epoch of a controller, or the start time of a node.</param>
/// <param name="Number">Grows with every publication.</param>
public readonly record struct SnapshotVersion(long Epoch, long Number) : IComparable<SnapshotVersion>
{
    /// <inheritdoc/>
    public int CompareTo(SnapshotVersion other) => (Epoch, Number).CompareTo((other.Epoch, other.Number));

    /// <inheritdoc/>
    public override string ToString() => $"{Epoch}.{Number}";

    /// <summary>Returns whether <paramref name="left"/> is older.</summary>
    public static bool operator <(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) < 0;

    /// <summary>Returns whether <paramref name="left"/> is newer.</summary>
    public static bool operator >(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) > 0;

    /// <summary>Returns whether <paramref name="left"/> is not newer.</summary>
    public static bool operator <=(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Returns whether <paramref name="left"/> is not older.</summary>
    public static bool operator >=(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) >= 0;
}
