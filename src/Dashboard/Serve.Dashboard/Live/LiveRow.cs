namespace Serve.Dashboard.Live;

/// <summary>New content of a row of a <see cref="LiveTable"/>.</summary>
/// <param name="Key">Name of the row.</param>
/// <param name="Info">Its texts, as a JSON object.</param>
/// <param name="Values">Its numbers, in the order of the table's columns; NaN if unknown.</param>
internal readonly record struct LiveRowContent(string Key, byte[] Info, float[] Values);

/// <summary>A row of a <see cref="LiveTable"/> with the versions of its changes.</summary>
internal sealed class LiveRow
{
    /// <summary>Number of the row, which is shorter than its name; never reused.</summary>
    public required int Number { get; init; }

    /// <summary>Name of the row.</summary>
    public required string Key { get; init; }

    /// <summary>Version in which the row was added.</summary>
    public required long AddedAt { get; init; }

    /// <summary>Its texts, as a JSON object.</summary>
    public required byte[] Info { get; set; }

    /// <summary>Version of the texts.</summary>
    public required long InfoChangedAt { get; set; }

    /// <summary>Its numbers.</summary>
    public required float[] Values { get; set; }

    /// <summary>Version of the numbers.</summary>
    public required long ValuesChangedAt { get; set; }
}
