namespace Serve.Runtime.Parallel;

/// <summary>What a map throws when the function threw for one of its items: the same as any task does, with the item's index in front.</summary>
internal static class MapItemFailure
{
    public static Exception Create(long index, Exception thrown) =>
        new UserCodeException(thrown.GetType().FullName ?? thrown.GetType().Name, $"Item {index}: {thrown.Message}", thrown.ToString(), thrown);
}
