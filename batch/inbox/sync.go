package inbox

import "konbill/batch"

// syncFolders makes durable what was renamed, made or removed in folders.
func syncFolders(folders ...string) error {
	for _, folder := range folders {
		if err := batch.SyncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}
