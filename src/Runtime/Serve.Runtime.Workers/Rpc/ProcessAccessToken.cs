using System.Security.Cryptography;
using System.Text;
using Grpc.Core;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>The token that callers of a process present; compared in fixed time.</summary>
internal static class ProcessAccessToken
{
    public const string MetadataKey = "serve-token";

    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public static Metadata ToMetadata(string? token) => new() { { MetadataKey, token ?? "" } };

    public static bool Matches(string? presented, byte[] expected) =>
        presented is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(presented), expected);
}
