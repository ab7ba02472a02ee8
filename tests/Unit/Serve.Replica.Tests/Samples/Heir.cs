using Microsoft.AspNetCore.Mvc;

namespace Serve.Replica.Tests.Samples;

/// <summary>Methods that a replica calls by reflection, inherited from a base class, and private where this is allowed.</summary>
public abstract class Ancestor
{
    [Batch(MaxBatchSize = 3, SizeMethod = nameof(LengthOf), BatchWaitTimeout = "1h"), HttpGet("/words/{word}")]
    public string[] Words(string[] word) => [.. word.Select(_ => string.Join('+', word.Order()))];

    private int LengthOf(string word) => word.Length;

    [Multiplexed]
    private string Load(string id) => $"{GetType().Name}'s {id}";
}

[Deployment]
public sealed class Heir(IMultiplexed<string> models) : Ancestor
{
    public async Task<string> Call() => await models.Get();
}
