namespace Serve;

/// <summary>What the state API answers: Ray's envelope.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
/// <param name="Result">Whether it went well; errors are problem documents here, so it is always true.</param>
/// <param name="Msg">Always empty.</param>
/// <param name="Data">Holds what was asked for.</param>
public sealed record StateApiResponse<T>(bool Result, string Msg, StateApiResponse<T>.StateApiPayload Data)
{
    /// <summary>The inner envelope.</summary>
    /// <param name="Result">What was asked for.</param>
    public sealed record StateApiPayload(T Result);
}
