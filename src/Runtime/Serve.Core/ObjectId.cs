using System.Globalization;

namespace Serve;

/// <summary>Id of an object, and of the task that produces it: the owner that assigned it, and a sequence number. Unique in its cluster.</summary>
/// <param name="Number">Owner and sequence, packed: <see cref="SequenceBits"/> lower bits hold the sequence.</param>
public readonly record struct ObjectId(long Number)
{
    /// <summary>Bits of the sequence number: 10^12 objects per owner; 8 million owners.</summary>
    public const int SequenceBits = 40;

    /// <summary>Creates an id.</summary>
    /// <param name="owner">Process that assigns the id: 0 for the driver, otherwise the number of a worker connection.</param>
    /// <param name="sequence">Sequence number, from 1 for the driver.</param>
    public ObjectId(int owner, long sequence)
        : this(((long)owner << SequenceBits) | sequence)
    {
    }

    /// <summary>Process that assigned the id: 0 for the driver, otherwise the number of a worker connection.</summary>
    public int Owner => (int)(Number >> SequenceBits);

    /// <summary>Sequence number of the owner.</summary>
    public long Sequence => Number & ((1L << SequenceBits) - 1);

    /// <inheritdoc/>
    public override string ToString() => Number.ToString("x16", CultureInfo.InvariantCulture);
}
