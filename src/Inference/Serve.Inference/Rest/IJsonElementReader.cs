using System.Text.Json;

namespace Serve.Inference.Rest;

/// <summary>How one element of a tensor is read from JSON.</summary>
/// <typeparam name="T">The element.</typeparam>
internal interface IJsonElementReader<T>
{
    /// <summary>What is taken, for people.</summary>
    static abstract string Expected { get; }

    /// <summary>Reads the token that the reader stands on.</summary>
    static abstract bool TryRead(ref Utf8JsonReader json, out T value);
}
