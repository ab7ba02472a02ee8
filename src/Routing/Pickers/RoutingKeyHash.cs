using System.Numerics;
using System.Runtime.InteropServices;

namespace Serve.Routing.Pickers;

/// <summary>Hash of routing keys. The same in every process, so that a gateway and handles send a key to the same replica.</summary>
internal static class RoutingKeyHash
{
    /// <summary>Hash of the empty text.</summary>
    public const ulong Empty = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Hashes a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="seed">Hash of what precedes the text.</param>
    public static ulong Of(ReadOnlySpan<char> text, ulong seed = Empty)
    {
        var hash = seed ^ (ulong)text.Length;
        // Four characters at a time: each step depends on the previous one.
        var words = MemoryMarshal.Cast<char, ulong>(text);
        foreach (var word in words)
            hash = Mix(hash, word);
        foreach (var letter in text[(words.Length * 4)..])
            hash = Mix(hash, letter);
        // The finalizer of SplitMix64, so that every bit of the text affects every bit of the hash.
        hash = (hash ^ (hash >> 30)) * 0xBF58_476D_1CE4_E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D0_49BB_1331_11EB;
        return hash ^ (hash >> 31);
    }

    private static ulong Mix(ulong hash, ulong word) => BitOperations.RotateLeft((hash ^ word) * 0x9FB2_1C65_1E98_DF25, 29);
}
