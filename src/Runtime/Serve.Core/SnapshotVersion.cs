namespace Serve;

/// <summary>Version of a published state: compared by epoch, then by number.</summary>
/// <param name="Epoch">Increases with every change of the publisher, for example of the controller's lease.</param>
/// <param name="Number">Increases with every publication within an epoch.</param>
public readonly record struct SnapshotVersion(long Epoch, long Number) : IComparable<SnapshotVersion>
{
    /// <summary>Whether <paramref name="left"/> is older than <paramref name="right"/>.</summary>
    public static bool operator <(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> is newer than <paramref name="right"/>.</summary>
    public static bool operator >(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> is not newer than <paramref name="right"/>.</summary>
    public static bool operator <=(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> is not older than <paramref name="right"/>.</summary>
    public static bool operator >=(SnapshotVersion left, SnapshotVersion right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public int CompareTo(SnapshotVersion other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Number.CompareTo(other.Number);

    /// <inheritdoc/>
    public override string ToString() => $"{Epoch}.{Number}";
}
