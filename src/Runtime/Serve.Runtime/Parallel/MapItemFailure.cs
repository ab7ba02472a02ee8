namespace Serve.Runtime.Parallel;

/// <summary>Creates the exception of a map whose function threw for an item: the exception of any task, prefixed with the index of the item.</summary>
internal static class MapItemFailure
{
    public static Exception Create(long index, Exception thrown) =>
        new UserCodeException(thrown.GetType().FullName ?? thrown.GetType().Name, $"Item {index}: {thrown.Message}", thrown.ToString(), thrown);
}
